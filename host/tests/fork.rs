//! A process that is forked from one that uses queues.

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use queue_store_host::plugin::{Plugin, PluginError, PluginLimits};
use queue_store_host::types::{Mail, WriteOptions};
use queue_store_host::{Error, Host, Intake, IntakeLimits};
use std::process;
use wasmtime_wasi::WasiCtx;

/// Runs `child` in a process that is forked from this one, and asserts that it returns true.
fn run_forked(child: impl FnOnce() -> bool) {
    // SAFETY: the other threads of a test do not hold the locks of the allocator, which glibc takes over in the child.
    match unsafe { fork() }.expect("the process can be forked") {
        ForkResult::Child => process::exit(i32::from(!child())),
        ForkResult::Parent { child } => assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, 0))),
    }
}

#[test]
fn forked_process_opens_the_queue_anew_and_leaves_the_drafts_of_its_parent() {
    let directory = tempfile::tempdir().expect("a test can create a temporary directory");
    let host = Host::new().expect("this machine runs the component");
    let queue = host.open(directory.path()).expect("the directory exists");
    let mail = Mail::new("a@example.com", ["b@example.com"], "parent");
    let mut draft = queue.draft(Some("draft"), &mail.envelope, &WriteOptions::default()).expect("the queue is open");
    draft.append(b"parent").expect("the draft is open");
    let mut inherited = Some(draft);
    run_forked(|| {
        let mut draft = inherited.take().expect("it is inherited");
        let is_refused = matches!(draft.append(b"child"), Err(Error::Forked))
            && matches!(queue.put(&mail), Err(Error::Forked))
            && matches!(host.open(directory.path()), Err(Error::Forked))
            && matches!(host.create(directory.path().join("new")), Err(Error::Forked))
            && !directory.path().join("new").exists();
        drop(draft);
        let opened = Host::new().and_then(|host| host.open(directory.path()));
        is_refused && opened.and_then(|queue| queue.put_with(Some("child"), &mail, &WriteOptions::default())).is_ok()
    });
    let draft = inherited.expect("the child took its copy");
    assert_eq!(draft.commit().expect("the child left the temporary file"), "draft");
    assert_eq!(queue.get("draft").expect("it was committed").body, b"parent");
    assert_eq!(queue.get("child").expect("the child put it").body, b"parent");
}

#[test]
fn forked_process_compiles_the_plugin_anew() {
    let directory = tempfile::tempdir().expect("a test can create a temporary directory");
    let component = wat::parse_str("(component)").expect("it is well-formed");
    let call = |plugin: &Plugin| {
        let queue = Host::new().and_then(|host| host.open(directory.path())).expect("the directory exists");
        let intake = Intake::new(&queue, IntakeLimits::default());
        plugin.call(&intake, WasiCtx::builder().build(), async |_, _| Ok(()))
    };
    let inherited = Plugin::new(&component, PluginLimits::default()).expect("it compiles");
    call(&inherited).expect("the plugin is of this process");
    run_forked(|| {
        let anew = Plugin::new(&component, PluginLimits::default()).expect("it compiles");
        matches!(call(&inherited), Err(PluginError::Forked)) && call(&anew).is_ok()
    });
}
