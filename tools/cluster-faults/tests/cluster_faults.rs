//! Breaks the nodes by every fault once, and checks that the search finds losses where the queue waits for no standby. The
//! long version is `cluster-faults run`.

#[cfg(target_os = "linux")]
mod linux {
    use libtest_mimic::{Arguments, Failed, Trial};
    use queue_store_cluster_faults::Error;
    use queue_store_cluster_faults::disk;
    use queue_store_cluster_faults::fault::Fault;
    use queue_store_cluster_faults::nodes::Nodes;
    use queue_store_cluster_faults::round::{Search, Settings};
    use queue_store_cluster_faults::violation::Kind;
    use queue_store_host_test::requirement::{Requirement, trial};
    use std::process::ExitCode;
    use std::sync::{Arc, Mutex, PoisonError};
    use std::time::Duration;

    /// The nodes of all tests, which run one after the other.
    static NODES: Mutex<Option<Arc<Nodes>>> = Mutex::new(None);

    pub(super) fn main() -> ExitCode {
        let mut arguments = Arguments::from_args();
        arguments.test_threads = Some(1);
        // Before any thread starts. A failure is reported where a disk is mounted.
        let _ = disk::enter_namespace();
        let trial = |name: &str, needs, test: fn() -> Result<(), Failed>| trial(name.to_string(), needs, test);
        let postgres = vec![Requirement::Postgres];
        let disks = vec![Requirement::Postgres, Requirement::Root, Requirement::Mounts];
        let trials: Vec<Trial> = vec![
            trial("fault_loses_no_mail", postgres.clone(), || every_fault_loses_no_mail(false)),
            trial("full_disk_loses_no_mail", disks, || every_fault_loses_no_mail(true)),
            trial("losses_of_a_single_node_are_found", postgres, losses_of_a_single_node_are_found),
        ];
        let conclusion = libtest_mimic::run(&arguments, trials);
        drop(NODES.lock().unwrap_or_else(PoisonError::into_inner).take());
        conclusion.exit_code()
    }

    fn nodes() -> Result<Arc<Nodes>, Error> {
        let mut nodes = NODES.lock().unwrap_or_else(PoisonError::into_inner);
        match &*nodes {
            Some(nodes) => Ok(nodes.clone()),
            None => Ok(nodes.insert(Arc::new(Nodes::start()?)).clone()),
        }
    }

    fn settings(durability: &'static str, hold: Duration) -> Settings {
        Settings { writers: 16, seed: 1, hold, timeout: Duration::from_secs(10), durability }
    }

    fn every_fault_loses_no_mail(of_disks: bool) -> Result<(), Failed> {
        let faults: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| fault.needs_disks() == of_disks).collect();
        let search = Search::new(nodes()?, settings("replicated", Duration::from_millis(300)), &faults)?;
        assert_eq!(search.faults(), faults, "each node has a disk: {:?}", nodes()?.missing_disks());
        for (number, fault) in (1..).zip(faults) {
            let outcome = search.round_of(number, fault)?;
            let violations: Vec<String> = outcome.violations.iter().map(ToString::to_string).collect();
            assert!(violations.is_empty(), "{fault}: {}", violations.join("\n"));
            assert!(outcome.tally.puts > 0 && outcome.tally.removals > 0, "{fault}: {:?}", outcome.tally);
        }
        Ok(())
    }

    fn losses_of_a_single_node_are_found() -> Result<(), Failed> {
        // Long enough for more than the buffers of the connections hold, which the standbys read when they are resumed.
        let (fault, hold) = (Fault::StandbysPausedAndPrimaryKilled, Duration::from_secs(4));
        let search = Search::new(nodes()?, settings("single-node", hold), &[fault])?;
        let outcome = search.round_of(1, fault)?;
        let kinds: Vec<Kind> = outcome.violations.iter().map(|violation| violation.kind).collect();
        assert!(kinds.contains(&Kind::Lost), "mail was lost that only the killed primary had: {kinds:?}");
        assert!(kinds.contains(&Kind::Resurrected), "removals were lost that only the killed primary had: {kinds:?}");
        Ok(())
    }
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("skipped: postgres/cluster requires Linux");
}
