//! Checks on each file system that `full` keeps every promise after every cut, and that `content-only` loses puts,
//! which shows that this test detects losses; and that no durable item is lost after a failed write. The long versions
//! are `crash-images run` and `crash-images failed-writes`.

#[cfg(target_os = "linux")]
mod linux {
    use libtest_mimic::{Arguments, Failed, Trial};
    use queue_store_crash_images::check::{Checker, Kind};
    use queue_store_crash_images::drive::namespace;
    use queue_store_crash_images::failed_write::{self, FILE_SYSTEMS, SCENARIOS};
    use queue_store_crash_images::file_system::FileSystem;
    use queue_store_crash_images::job::{self, Keep, Outcome, Plan, Progress};
    use queue_store_crash_images::workload::{Durability, Settings};
    use queue_store_crash_images::{command, requirement};
    use queue_store_host::Host;
    use std::path::PathBuf;
    use std::process::ExitCode;
    use std::sync::LazyLock;

    /// The shipping command, built when the first test needs it.
    static COMMAND: LazyLock<PathBuf> = LazyLock::new(|| command::build().expect("cargo can build the command"));

    static HOST: LazyLock<Host> = LazyLock::new(|| Host::new().expect("the host library can compile the component"));

    pub(super) fn main() -> ExitCode {
        // Before any thread starts, since a thread stays in the mount namespace in which it started.
        let namespace = namespace::enter().err().map(|error| error.to_string());
        let trial = |name: &str, check: Check, file_system: FileSystem| {
            let name = format!("{name}::{file_system}");
            match requirement::missing(file_system).or(namespace.clone()) {
                None => Trial::test(name, move || check(file_system)),
                Some(missing) if requirement::require_all() => {
                    Trial::test(name, move || Err(format!("missing {missing}").into()))
                }
                Some(missing) => {
                    Trial::test(name, || Ok(())).with_ignored_flag(true).with_kind(format!("missing {missing}"))
                }
            }
        };
        let full = "full_keeps_promises_and_content_only_loses_puts";
        let failed = "failed_write_loses_no_durable_item";
        let trials = FileSystem::all().iter().map(|one| trial(full, check, *one));
        let trials = trials.chain(FILE_SYSTEMS.iter().map(|one| trial(failed, check_failed_writes, *one))).collect();
        libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
    }

    /// A check of a file system.
    type Check = fn(FileSystem) -> Result<(), Failed>;

    /// Ignores all progress.
    struct Silent;

    impl Progress for Silent {
        fn begin(&self, _: usize) {}
        fn done(&self) {}
    }

    fn run(file_system: FileSystem, durability: Durability, plan: &Plan) -> Result<Outcome, Failed> {
        let settings = Settings { file_system, durability, seed: 1, calls: 6, imported: 6 };
        let checker = Checker { command: &COMMAND, host: &HOST };
        let keep = Keep::Broken(command::target_directory().join("crash-images"));
        let outcome = job::run(&settings, plan, &checker, &Silent, &keep)?;
        if !outcome.is_fine() {
            return Err(outcome.describe(usize::MAX).into());
        }
        Ok(outcome)
    }

    fn check(file_system: FileSystem) -> Result<(), Failed> {
        let full = run(file_system, Durability::Full, &Plan { images: 2, second: 10 })?;
        assert!(
            full.images > full.cuts,
            "every cut has an image, and some have several: {} images of {} cuts",
            full.images,
            full.cuts
        );
        assert!(full.second > 0);
        let content_only = run(file_system, Durability::ContentOnly, &Plan { images: 1, second: 10 })?;
        assert!(content_only.by_kind.contains_key(&Kind::LostPut), "no put is lost without an fsync of the directory");
        Ok(())
    }

    fn check_failed_writes(file_system: FileSystem) -> Result<(), Failed> {
        let checker = Checker { command: &COMMAND, host: &HOST };
        for scenario in SCENARIOS {
            let outcome = failed_write::run(scenario, file_system, &checker, 1)?;
            if !outcome.is_fine() {
                return Err(outcome.describe().into());
            }
        }
        Ok(())
    }
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("skipped: loop devices and mount namespaces exist only on Linux");
}
