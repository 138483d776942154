//! An operator's plugin that does what its argument names, and prints what it saw.

#[cfg(target_family = "wasm")]
mod bindings;
#[cfg(target_family = "wasm")]
mod bounds;
#[cfg(target_family = "wasm")]
mod tour;

#[cfg(target_family = "wasm")]
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "tour"] => tour::run(),
        [_] | [_, "count"] => {
            let counts = tour::open().count().expect("the queue can be counted");
            println!("{} ready, {} held", counts.ready, counts.held);
        }
        [_, "open", path] => bounds::open(path),
        [_, "resources"] => bounds::resources(),
        [_, "pieces"] => bounds::pieces(),
        [_, "puts", count] => bounds::puts(count.parse().expect("a number")),
        [_, "read", id] => bounds::read(id),
        _ => panic!("unknown arguments: {arguments:?}"),
    }
}

#[cfg(not(target_family = "wasm"))]
fn main() {}
