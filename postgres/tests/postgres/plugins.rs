//! Plugins run on a database as they do on a directory.

use crate::support::{Test, mail, open};
use queue_store_host::plugin::wasmtime_wasi::{
    WasiCtx,
    p2::pipe::{MemoryInputPipe, MemoryOutputPipe},
};
use queue_store_host::plugin::{Plugin, PluginLimits};
use queue_store_host::types::WriteOptions;
use queue_store_host::{Intake, IntakeLimits};
use queue_store_host_test::{guest, operator_plugin};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("plugins::command_submits_mail", command_submits_mail),
        ("plugins::operator_plugin_does_everything", operator_plugin_does_everything),
        ("plugins::chunks_of_the_store_are_handed_out_in_pieces", chunks_of_the_store_are_handed_out_in_pieces),
        ("plugins::open_resources_are_bounded", open_resources_are_bounded),
    ]
}

/// The command in `plugins/command`, which submits in chunks.
fn command_submits_mail() {
    let package = "queue-store-plugin-command";
    let component = guest::build(package, &[], &format!("{package}.wasm"), "component");
    let plugin = Plugin::new(&component, PluginLimits::default()).expect("it is a plugin");
    let queue = open("command");
    let run = |to: &str, message: &[u8]| {
        let output = MemoryOutputPipe::new(1 << 10);
        let mut wasi = WasiCtx::builder();
        wasi.args(&["plugin", "a@example.com", to])
            .stdin(MemoryInputPipe::new(message.to_vec()))
            .stdout(output.clone());
        let code = plugin.run(&Intake::new(&queue, IntakeLimits::default()), wasi.build()).expect("it ends");
        (code, String::from_utf8(output.contents().to_vec()).expect("it prints text").trim_end().to_string())
    };
    for message in [b"Subject: hello\r\n\r\nhello\r\n".to_vec(), vec![b'x'; 900_000]] {
        let (code, id) = run("b@example.com", &message);
        assert_eq!(code, 0);
        assert_eq!(queue.get(&id).expect("it is queued").body, [b"X-Checked: yes\r\n", &message[..]].concat());
    }
    assert_eq!(run("-b@example.com", b"refused"), (1, String::new()));
    assert_eq!(queue.count().expect("it is counted").ready, 2);
}

fn operator_plugin_does_everything() {
    operator_plugin::tour(&open("operator"));
}

fn chunks_of_the_store_are_handed_out_in_pieces() {
    let queue = open("pieces");
    let options = WriteOptions::default();
    queue.put_with(Some("x"), &mail(vec![b'x'; 300_000]), &options).expect("it is put");
    let output = operator_plugin::output(&queue, PluginLimits::default(), &["pieces"]);
    assert!(output.contains("longest chunk: 65536\n"), "{output}");
}

fn open_resources_are_bounded() {
    let queue = open("bounded");
    let options = WriteOptions::default();
    queue.put_with(Some("x"), &mail("x"), &options).expect("it is put");
    let output = operator_plugin::output(&queue, PluginLimits::default(), &["resources"]);
    let once = "drafts: 64, then ErrorCode::Busy\nreaders: 64, then ErrorCode::Busy\n\
                listings: 16, then ErrorCode::Busy\nqueues: 63, then ErrorCode::Busy\n";
    assert_eq!(output, once.repeat(2));
}
