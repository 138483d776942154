// Runs one test: `run.js errors noSpace`. The working directory is the test's own, and has an empty `queue`.

const [file, test, ...operands] = process.argv.slice(2);
(await import(`./${file}.js`))[test](...operands);
