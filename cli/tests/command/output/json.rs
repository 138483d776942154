//! Output for programs.

use super::items::{copied_item, known_items};
use crate::queue::{Queue, parse_json};
use crate::trial::trials;
use serde_json::{Value, json};

trials![
    show_json_has_documented_shape,
    show_json_keeps_numbers_without_names,
    show_json_names_differing_field_id,
    list_json_is_array_of_same_shape,
    list_json_has_problem_of_damaged_item,
    list_json_has_problem_of_copied_item,
    verify_json_has_integrity,
    recover_json_has_fields_of_contract,
];

const SHAPE: [&str; 8] = ["id", "from", "to", "rcpt", "created_at_ts", "size", "format", "state"];

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an item is an object").keys().map(String::as_str).collect()
}

fn items(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a listing is an array")
}

fn show_json_has_documented_shape() {
    let queue = known_items();
    let shown = queue.json(&["show", "--json", "first"]);
    assert_eq!(keys(&shown), SHAPE);
    assert_eq!(
        shown,
        json!({
            "id": "first",
            "from": "sender@example.com",
            "to": ["b@example.com", "c@example.com"],
            "rcpt": [
                {
                    "address": "b@example.com", "type": "EMAIL", "status": "SENT", "last_failure_message": "",
                    "original_address": "list@example.com", "via": [],
                },
                {
                    "address": "c@example.com", "type": "EMAIL", "status": "FAILED",
                    "last_failure_message": "550 no such user", "original_address": "c@example.com", "via": [],
                },
                {
                    "address": "d@example.com", "type": "FORWARD", "status": "PENDING", "last_failure_message": "",
                    "original_address": "d@example.com", "via": ["mx1.example.com", "mx2.example.com"],
                },
            ],
            "created_at_ts": {"seconds": 1_760_785_824, "nanos": 5},
            "size": 20,
            "format": "text",
            "state": "ready",
        })
    );
    let held = queue.json(&["show", "--json", "later-and-longer"]);
    assert_eq!(keys(&held), SHAPE);
    assert_eq!([&held["format"], &held["state"], &held["size"]], [&json!("binary"), &json!("held"), &json!(10)]);
}

fn show_json_keeps_numbers_without_names() {
    let odd = known_items().json(&["show", "--json", "odd"]);
    assert_eq!(keys(&odd), SHAPE);
    assert_eq!([&odd["rcpt"][0]["type"], &odd["rcpt"][0]["status"]], [&json!(7), &json!(-2)]);
    assert_eq!(odd["state"], "quarantined");
}

fn show_json_names_differing_field_id() {
    let copy = copied_item().json(&["show", "--json", "copy"]);
    assert_eq!(keys(&copy), [&SHAPE[..], &["recorded_id"]].concat());
    assert_eq!([&copy["id"], &copy["recorded_id"]], ["copy", "original"]);
}

fn list_json_is_array_of_same_shape() {
    let queue = known_items();
    let listed = queue.json(&["list", "--json"]);
    let ids: Vec<&str> = items(&listed).iter().filter_map(|item| item["id"].as_str()).collect();
    assert_eq!(ids, ["odd", "first", "later-and-longer"]);
    for (item, id) in items(&listed).iter().zip(ids) {
        let mut shown = queue.json(&["show", "--json", id]);
        assert_eq!(keys(item), keys(&shown));
        if item["size"].is_null() {
            // Only reading the whole item tells, which a listing does not do.
            shown["size"] = Value::Null;
        }
        assert_eq!(*item, shown);
    }
    assert_eq!(Queue::existing().json(&["list", "--json"]), json!([]));
}

fn list_json_has_problem_of_damaged_item() {
    let queue = Queue::existing();
    queue.file_within("m:bad", "ID: \"bad\"\nfrom: 7");
    let listed = queue.json(&["list", "--json"]);
    assert_eq!(keys(&listed[0]), [&SHAPE[..], &["problem"]].concat());
    let mut problem = listed[0]["problem"].clone();
    let detail = problem["detail"].take();
    assert!(detail.as_str().is_some_and(|detail| !detail.is_empty()));
    let path = format!("{}/m:bad", queue.path().display());
    assert_eq!(
        problem,
        json!({
            "code": "corrupt", "operation": "decode", "path": path, "detail": null,
            "position": {"offset": 16, "line": 2, "column": 7},
        })
    );
}

fn list_json_has_problem_of_copied_item() {
    let listed = copied_item().json(&["list", "--json"]);
    assert_eq!(keys(&listed[0]), [&SHAPE[..], &["recorded_id", "problem"]].concat());
    assert_eq!([&listed[0]["id"], &listed[0]["recorded_id"]], ["copy", "original"]);
    assert_eq!(
        [&listed[0]["problem"]["code"], &listed[0]["problem"]["position"]],
        [&json!("id-mismatch"), &Value::Null]
    );
    assert_eq!(listed[0]["rcpt"][0]["address"], "b@example.com");
}

fn verify_json_has_integrity() {
    let queue = known_items();
    let verified = queue.json(&["verify", "--json"]);
    let integrity: Vec<&Value> = items(&verified).iter().map(|item| &item["integrity"]).collect();
    assert_eq!(integrity, ["unchecked", "unchecked", "whole"]);
    queue.file_within("m:bad", "ID: 7");
    let output = queue.run(&["verify", "--json"]);
    assert_eq!(output.code, 65);
    let verified = parse_json(output.text());
    let bad = items(&verified).last().expect("an item without a time is listed last");
    assert_eq!(
        [&bad["id"], &bad["problem"]["code"], &bad["integrity"]],
        [&json!("bad"), &json!("corrupt"), &Value::Null]
    );
}

fn recover_json_has_fields_of_contract() {
    let queue = known_items();
    queue.file_within(".m:AAAAAAAAAAA", b"");
    queue.file_within("unrelated", b"");
    let expected = json!({
        "durable_items": 3, "damaged_items": 0, "damaged_in_quarantine": 0, "temporary_removed": 0, "temporary_kept": 1,
        "rewritten": 0, "problems": [], "truncated": false,
    });
    assert_eq!(queue.json(&["recover", "--json"]), expected);

    queue.file_within("m:bad", "ID: 7");
    let output = queue.run(&["recover", "--json", "--grace", "0"]);
    assert_eq!(output.code, 65, "{}", output.stderr);
    let mut report = parse_json(output.text());
    assert_eq!(report["problems"][0]["code"], "corrupt");
    report["problems"].as_array_mut().expect("the problems are an array").clear();
    let expected = json!({
        "durable_items": 3, "damaged_items": 1, "damaged_in_quarantine": 0, "temporary_removed": 1, "temporary_kept": 0,
        "rewritten": 0, "problems": [], "truncated": false,
    });
    assert_eq!(report, expected);
}
