//! The short form: on each file system, `full` keeps every promise over every cut, and `file` loses puts, which shows that
//! this test can fail. The long form is `crash-images run`.

#[cfg(target_os = "linux")]
mod linux {
    use libtest_mimic::{Arguments, Failed, Trial};
    use queue_store_crash_images::check::{Checker, Kind};
    use queue_store_crash_images::drive::namespace;
    use queue_store_crash_images::file_system::FileSystem;
    use queue_store_crash_images::job::{self, Keep, Outcome, Plan, Progress};
    use queue_store_crash_images::workload::{Durability, Settings};
    use queue_store_crash_images::{command, requirement};
    use queue_store_host::Host;
    use std::path::PathBuf;
    use std::process::ExitCode;
    use std::sync::LazyLock;

    /// The shipping command, built when the first test needs it.
    static COMMAND: LazyLock<PathBuf> = LazyLock::new(|| command::build().expect("the command builds"));

    static HOST: LazyLock<Host> = LazyLock::new(|| Host::new().expect("this machine runs the component"));

    pub(super) fn main() -> ExitCode {
        // Before there are threads.
        let namespace = namespace::enter().err().map(|error| error.to_string());
        let trial = |file_system: &FileSystem| {
            let (file_system, namespace) = (*file_system, namespace.clone());
            let name = format!("full_keeps_every_promise_and_file_does_not::{file_system}");
            match requirement::missing(file_system).or(namespace) {
                None => Trial::test(name, move || try_out(file_system)),
                Some(missing) if requirement::require_all() => {
                    Trial::test(name, move || Err(format!("there is no {missing}").into()))
                }
                Some(missing) => {
                    Trial::test(name, || Ok(())).with_ignored_flag(true).with_kind(format!("no {missing}"))
                }
            }
        };
        let trials = FileSystem::all().iter().map(trial).collect();
        libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
    }

    /// Nobody watches.
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

    fn try_out(file_system: FileSystem) -> Result<(), Failed> {
        let full = run(file_system, Durability::Full, &Plan { images: 2, second: 10 })?;
        assert!(
            full.images > full.cuts,
            "every cut has an image, and some have more: {} of {}",
            full.images,
            full.cuts
        );
        assert!(full.second > 0);
        let file = run(file_system, Durability::ContentOnly, &Plan { images: 1, second: 10 })?;
        assert!(file.by_kind.contains_key(&Kind::LostPut), "nothing is lost without a sync of the directory");
        Ok(())
    }
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("skipped: loop devices and mount namespaces are Linux's");
}
