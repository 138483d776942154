//! The scripts in `interop/python` and `interop/node`. A function in them that takes no arguments is a test.
//!
//! Each runs in a process and a directory of its own. Comments above it have its requirements: `needs: mounts` gives it
//! mounts of its own, and `fault: fsync=EIO on queue` makes that system call fail on that path (or on all).

use libtest_mimic::{Failed, Trial};
use queue_store_artifact::COMPONENT;
use queue_store_host_test::requirement::trial;
use queue_store_host_test::requirement::{self, Requirement};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;
use wit_parser::{InterfaceId, Resolve, TypeDefKind};

/// Seconds that a test may take, with the compiler and a slow disk. A host that opens a FIFO waits forever.
const TEST_SECONDS: &str = "120";

/// A language that drives the component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Python,
    JavaScript,
}

pub(crate) const LANGUAGES: [Language; 2] = [Language::Python, Language::JavaScript];

impl Language {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Language::Python => "python",
            Language::JavaScript => "javascript",
        }
    }

    pub(crate) fn requirement(self) -> Requirement {
        match self {
            Language::Python => Requirement::Python,
            Language::JavaScript => Requirement::Node,
        }
    }

    /// Returns the names of the tests in a file.
    pub(crate) fn tests(self, file: &str) -> Vec<String> {
        tests(self).into_iter().filter(|test| test.file == file).map(|test| test.name).collect()
    }

    fn files(self) -> &'static [&'static str] {
        match self {
            Language::Python => &["calls", "errors", "limits", "protobuf_text"],
            Language::JavaScript => &["calls", "errors", "limits"],
        }
    }

    fn directory(self) -> PathBuf {
        interop().join(match self {
            Language::Python => "python",
            Language::JavaScript => "node",
        })
    }

    pub(crate) fn source(self, file: &str) -> String {
        let extension = match self {
            Language::Python => "py",
            Language::JavaScript => "js",
        };
        let path = self.directory().join(file).with_extension(extension);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Returns the name of the test that the line begins, if it begins one.
    fn test(self, line: &str) -> Option<&str> {
        match self {
            Language::Python => line.strip_prefix("def ")?.strip_suffix("():").filter(|name| !name.starts_with('_')),
            Language::JavaScript => line.strip_prefix("export function ")?.strip_suffix("() {"),
        }
    }

    fn comment(self, line: &str) -> Option<&str> {
        line.strip_prefix(match self {
            Language::Python => "# ",
            Language::JavaScript => "// ",
        })
    }

    /// Spells a name of the contract as the language does.
    fn spelled(self, name: &str) -> String {
        match self {
            Language::Python => name.replace('-', "_"),
            Language::JavaScript => {
                let mut words = name.split('-');
                let first = words.next().unwrap_or_default().to_string();
                words.fold(first, |name, word| name + &capitalized(word))
            }
        }
    }
}

/// A test in a script.
#[derive(Clone, Debug)]
struct Test {
    language: Language,
    file: &'static str,
    name: String,
    needs: Vec<Requirement>,
    fault: Option<String>,
}

fn interop() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop")
}

fn tests(language: Language) -> Vec<Test> {
    let mut tests = Vec::new();
    for &file in language.files() {
        let (mut needs, mut fault) = (vec![language.requirement()], None);
        for line in language.source(file).lines() {
            if let Some(comment) = language.comment(line) {
                if comment == "needs: mounts" {
                    needs.push(Requirement::Mounts);
                } else if let Some(described) = comment.strip_prefix("fault: ") {
                    needs.push(Requirement::Strace);
                    fault = Some(described.to_string());
                }
                continue;
            }
            if let Some(name) = language.test(line) {
                let (name, needs, fault) = (name.to_string(), needs.clone(), fault.take());
                tests.push(Test { language, file, name, needs, fault });
            }
            needs.truncate(1);
            fault = None;
        }
    }
    tests
}

pub(crate) fn trials(workshop: &Arc<Workshop>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for language in LANGUAGES {
        for test in tests(language) {
            let workshop = workshop.clone();
            let name = format!("{}::{}::{}", language.name(), test.file, test.name);
            trials.push(trial(name, test.needs.clone(), move || run(&test, &workshop)));
        }
        let name = |what| format!("{}::{what}", language.name());
        trials.push(Trial::test(name("every_code_has_a_test"), move || every_code_has_a_test(language)));
        trials.push(Trial::test(name("every_function_is_called"), move || every_function_is_called(language)));
    }
    trials
}

fn run(test: &Test, workshop: &Workshop) -> Result<(), Failed> {
    let directory = directory()?;
    let mut wrapper: Vec<OsString> = vec!["timeout".into(), "--kill-after=5".into(), TEST_SECONDS.into()];
    if test.needs.contains(&Requirement::Mounts) {
        let unshare = requirement::with_mounts();
        wrapper.push(unshare.get_program().into());
        wrapper.extend(unshare.get_args().map(OsString::from));
    }
    if let Some(fault) = &test.fault {
        let (fault, path) =
            fault.split_once(" on ").map_or((fault.as_str(), None), |(fault, path)| (fault, Some(path)));
        let (call, error) = fault.split_once('=').ok_or("a fault is `call=ERROR` or `call=ERROR on path`")?;
        wrapper.extend(["strace", "-f", "-qq", "-o", "/dev/null", "-e"].map(OsString::from));
        wrapper.extend(
            [format!("trace={call}"), "-e".to_string(), format!("inject={call}:error={error}")].map(Into::into),
        );
        if let Some(path) = path {
            wrapper.extend(["-P".into(), directory.path().canonicalize()?.join(path).into()]);
        }
    }
    workshop.run(test.language, &wrapper, "run", &[test.file, &test.name], directory.path()).map(|_| ())
}

/// Creates a directory for a test, with an empty queue.
pub(crate) fn directory() -> Result<TempDir, Failed> {
    // A test that gives up its privileges opens files in it by their paths.
    let permissions = Permissions::from_mode(0o755);
    let directory = tempfile::Builder::new().prefix("queue-store-").permissions(permissions).tempdir()?;
    fs::create_dir(directory.path().join("queue"))?;
    Ok(directory)
}

/// The component as a file, and as `jco` transpiles it. Both are removed after the last test.
#[derive(Default)]
pub(crate) struct Workshop {
    component: OnceLock<Result<TempDir, String>>,
    transpiled: OnceLock<Result<PathBuf, String>>,
}

impl Workshop {
    /// Returns the path of the built component.
    pub(crate) fn component(&self) -> Result<PathBuf, String> {
        let directory = || -> std::io::Result<TempDir> {
            // Node.js looks for packages in the directories above a script.
            fs::create_dir_all(requirement::interop())?;
            let directory = tempfile::Builder::new().prefix("run-").tempdir_in(requirement::interop())?;
            fs::write(directory.path().join("queue_store.wasm"), COMPONENT)?;
            Ok(directory)
        };
        let directory = self.component.get_or_init(|| directory().map_err(|error| error.to_string())).as_ref();
        Ok(directory?.path().canonicalize().map_err(|error| error.to_string())?.join("queue_store.wasm"))
    }

    /// Returns the directory of the scripts for Node.js, which has the transpiled component.
    fn transpiled(&self) -> Result<PathBuf, String> {
        let transpile = || -> Result<PathBuf, String> {
            let component = self.component()?;
            let directory = component.with_file_name("node");
            let copy = || -> std::io::Result<()> {
                fs::create_dir(&directory)?;
                for script in fs::read_dir(Language::JavaScript.directory())? {
                    let script = script?;
                    fs::copy(script.path(), directory.join(script.file_name()))?;
                }
                fs::copy(interop().join("package.json"), directory.join("package.json"))?;
                Ok(())
            };
            copy().map_err(|error| error.to_string())?;
            let mut jco = Command::new(requirement::node_modules().join(".bin/jco"));
            jco.arg("transpile").arg(&component).args(["--instantiation", "sync", "--quiet", "-o"]);
            output(jco.arg(directory.join("queue_store")))?;
            Ok(directory)
        };
        self.transpiled.get_or_init(transpile).clone()
    }

    /// Runs a script in a directory and returns its output.
    pub(crate) fn run(
        &self,
        language: Language,
        wrapper: &[OsString],
        script: &str,
        arguments: &[&str],
        directory: &Path,
    ) -> Result<String, Failed> {
        let mut line = wrapper.to_vec();
        match language {
            Language::Python => {
                // Not canonical, since the interpreter that it links to lacks the packages.
                line.push(std::path::absolute(requirement::python())?.into());
                line.push(language.directory().join(script).with_extension("py").into());
            }
            Language::JavaScript => {
                line.extend(["node".into(), self.transpiled()?.join(script).with_extension("js").into()]);
            }
        }
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).args(arguments).current_dir(directory);
        command.env("QUEUE_STORE_COMPONENT", self.component()?).env("PYTHONDONTWRITEBYTECODE", "1");
        Ok(output(&mut command)?)
    }
}

/// Runs a command. Returns its standard output, or its status and all of its output where it failed.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    Err(format!("{command:?}: {}\n{printed}{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

/// Parses `wit/`. Returns its interfaces by name.
fn contract() -> (Resolve, Vec<(String, InterfaceId)>) {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let (package, _) = resolve.push_dir(wit).expect("the contract is valid WIT");
    let interfaces = resolve.packages[package].interfaces.clone().into_iter().collect();
    (resolve, interfaces)
}

fn every_code_has_a_test(language: Language) -> Result<(), Failed> {
    let (contract, interfaces) = contract();
    let types = interfaces.iter().find(|(name, _)| name == "types").ok_or("an interface `types`")?.1;
    let codes = contract.interfaces[types].types["error-code"];
    let TypeDefKind::Enum(codes) = &contract.types[codes].kind else {
        return Err("`error-code` is an enum".into());
    };
    let codes: BTreeSet<String> = codes.cases.iter().map(|case| language.spelled(&case.name)).collect();
    assert_eq!(
        codes,
        language.tests("errors").into_iter().collect(),
        "the codes of the contract, and the tests in `errors`"
    );
    Ok(())
}

/// Every function of the contract is called by its name, in a test: a method on a variable that is named after its resource
/// (`queue.put`, `reader.read` of a body reader), a static function on the class (`Draft.commit`).
fn every_function_is_called(language: Language) -> Result<(), Failed> {
    let source: String = ["support", "calls", "errors"].map(|file| language.source(file)).concat();
    let (contract, interfaces) = contract();
    let mut missing = Vec::new();
    for (interface, id) in interfaces {
        for function in contract.interfaces[id].functions.keys() {
            let call = match function.split_once(']') {
                None => format!(".{}", language.spelled(function)),
                Some((kind, name)) => {
                    let (resource, name) = name.split_once('.').ok_or("the function of a resource has its name")?;
                    let resource = resource.rsplit('-').next().unwrap_or(resource);
                    let resource = if kind == "[static" { capitalized(resource) } else { resource.to_string() };
                    format!("{resource}.{}", language.spelled(name))
                }
            };
            if !contains_word(&source, &call) {
                missing.push(format!("{interface}.{function} ({call})"));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new(), "functions that no script calls");
    Ok(())
}

fn capitalized(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

/// Whether a text contains a word, and not only as a part of a longer one.
fn contains_word(text: &str, word: &str) -> bool {
    let is_part = |character: Option<char>| character.is_some_and(|it| it.is_alphanumeric() || it == '_');
    text.match_indices(word).any(|(at, _)| {
        let before = if word.starts_with('.') { None } else { text[..at].chars().next_back() };
        !is_part(before) && !is_part(text[at + word.len()..].chars().next())
    })
}
