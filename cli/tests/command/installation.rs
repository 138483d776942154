//! Versions, manual pages and completions.

use crate::process::{queue_store, run};
use crate::queue::{Queue, names};
use crate::trial::trials;
use std::fs;
use std::process::Command;

trials![
    version_names_commit_contract_format_and_component,
    manual_pages_have_no_warnings => Man,
    bash_completes_subcommands_and_options => Bash,
    completions_exist_for_each_shell,
    verbose_tells_directory_and_time,
];

fn version_names_commit_contract_format_and_component() {
    let version = run(&mut queue_store(&["--version"]), b"").done();
    let lines: Vec<&str> = version.lines().collect();
    let [name, commit, contract, format, component] = *lines else { panic!("five lines: {version}") };
    assert_eq!(name, format!("queue-store {}", env!("CARGO_PKG_VERSION")));
    let commit = commit.strip_prefix("commit: ").expect("the second line is the commit");
    assert!(
        commit == "unknown" || commit.len() == 12 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{commit}"
    );
    assert_eq!([contract, format], ["contract: mail:queue@0.1.0", "format: 1"]);

    let queue = Queue::new();
    let file = queue.beside("component.wasm");
    run(queue_store(&["component", "--output"]).arg(&file), b"").done();
    let sum = run(Command::new("sha256sum").arg(&file), b"").done();
    let (hash, _) = sum.split_once(' ').expect("the hash precedes the name");
    assert_eq!(component, format!("component: sha256 {hash}"));
    assert_eq!(run(&mut queue_store(&["component", "--sha256"]), b"").done(), format!("{hash}\n"));
}

fn manual_pages_have_no_warnings() {
    let queue = Queue::new();
    let directory = queue.beside("man1");
    run(queue_store(&["man", "--output"]).arg(&directory), b"").done();
    let pages = names(&directory);
    for page in ["queue-store.1", "queue-store-put.1", "queue-store-check.1", "queue-store-plugin-run.1"] {
        assert!(pages.contains(&page.to_string()), "{page} in {pages:?}");
    }
    for page in pages {
        let mut man = Command::new("man");
        man.args(["--warnings", "--local-file"])
            .arg(directory.join(&page))
            .env("MANWIDTH", "120")
            .env("LC_ALL", "C.UTF-8");
        let shown = run(&mut man, b"");
        assert_eq!((shown.code, shown.stderr.as_str()), (0, ""), "{page}");
        assert!(shown.text().contains("NAME"), "{page}");
    }
}

fn bash_completes_subcommands_and_options() {
    const SCRIPT: &str = r#"source <("$0" completions bash) && COMP_WORDS=(queue-store "$@") && COMP_CWORD=$# &&
        [[ $(complete -p queue-store) =~ -F\ ([^ ]+) ]] && "${BASH_REMATCH[1]}" queue-store "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" && echo "${COMPREPLY[*]}""#;
    let complete = |words: &[&str]| {
        let mut bash = Command::new("bash");
        bash.args(["--norc", "-c", SCRIPT, env!("CARGO_BIN_EXE_queue-store")]).args(words);
        run(&mut bash, b"").done()
    };
    assert_eq!(complete(&["ver"]), "verify\n");
    assert_eq!(complete(&["check", "--warn-"]), "--warn-count --warn-age --warn-damaged\n");
    assert_eq!(complete(&["completions", "b"]), "bash\n");
}

fn completions_exist_for_each_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&mut queue_store(&["completions", shell]), b"").done();
        assert!(script.contains("queue-store") && script.contains("quarantine"), "{shell}");
    }
}

fn verbose_tells_directory_and_time() {
    let queue = Queue::existing();
    for arguments in [["--verbose", "list"], ["list", "-v"]] {
        let listed = queue.run(&arguments);
        assert_eq!(listed.code, 0);
        let lines: Vec<&str> = listed.stderr.lines().collect();
        let [opens, ends] = *lines else { panic!("two lines: {}", listed.stderr) };
        assert!(opens.contains(&format!(" s: opens {} as user ", queue.path().display())), "{opens}");
        assert!(ends.ends_with(" s: ends with exit code 0"), "{ends}");
    }
    fs::remove_dir(queue.path()).expect("the queue is empty");
}
