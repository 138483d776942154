//! Bounds on the shape of a component, for what compiling and instantiating it takes beyond its own memory.

use wasmparser::{ComponentInstance, Parser, Payload};

/// Components within components. A composition has two levels, and compilation may double its work at each.
const MAX_DEPTH: usize = 4;

/// Instances of components, written in all levels together.
const MAX_COMPONENT_INSTANCES: usize = 100;

/// Globals that a module defines. Each takes 16 bytes of the host in every instance.
const MAX_GLOBALS: u32 = 10_000;

/// Returns the bound that a component exceeds. Bytes that are no component exceed none: the compiler refuses them.
pub(crate) fn exceeded_bound(component: &[u8]) -> Option<&'static str> {
    let (mut depth, mut instances) = (0_usize, 0);
    for payload in Parser::new(0).parse_all(component).map_while(Result::ok) {
        match payload {
            Payload::ModuleSection { .. } => depth += 1,
            Payload::ComponentSection { .. } if depth == MAX_DEPTH => return Some("components are nested too deeply"),
            Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::GlobalSection(globals) if globals.count() > MAX_GLOBALS => {
                return Some("a module has too many globals");
            }
            Payload::ComponentInstanceSection(section) => {
                let is_new =
                    |instance: &ComponentInstance<'_>| matches!(instance, ComponentInstance::Instantiate { .. });
                instances += section.into_iter().map_while(Result::ok).filter(is_new).count();
                if instances > MAX_COMPONENT_INSTANCES {
                    return Some("it has too many instances of components");
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> Vec<u8> {
        let twice = |inner: String, level: usize| {
            format!(
                "(component $c{level} {inner} (instance (instantiate $c{0})) (instance (instantiate $c{0})))",
                level - 1
            )
        };
        let text = (1..levels).fold("(component $c0)".to_string(), twice);
        wat::parse_str(format!("(component {text})")).expect("it is well-formed")
    }

    #[test]
    fn components_that_double_at_each_level_are_bounded() {
        assert_eq!(exceeded_bound(&nested(4)), None);
        assert_eq!(exceeded_bound(&nested(5)), Some("components are nested too deeply"));
    }

    #[test]
    fn instances_of_components_are_bounded() {
        let text = |count: usize| format!("(component (component $c) {})", "(instance (instantiate $c))".repeat(count));
        let component = |count| wat::parse_str(text(count)).expect("it is well-formed");
        assert_eq!(exceeded_bound(&component(100)), None);
        assert_eq!(exceeded_bound(&component(101)), Some("it has too many instances of components"));
    }

    #[test]
    fn globals_are_bounded() {
        let text = |count: usize| format!("(component (core module {}))", "(global i32 i32.const 0)".repeat(count));
        let component = |count| wat::parse_str(text(count)).expect("it is well-formed");
        assert_eq!(exceeded_bound(&component(10_000)), None);
        assert_eq!(exceeded_bound(&component(10_001)), Some("a module has too many globals"));
    }
}
