//! Bounds on the shape of a component, for what compiling and instantiating it takes beyond its own memory.

use wasmparser::{ComponentInstance, ElementItems, ElementSectionReader, Parser, Payload};

/// Components within components. A composition has two levels, and compilation may double its work at each.
const MAX_DEPTH: usize = 4;

/// Instances of components, written in all levels together.
const MAX_COMPONENT_INSTANCES: usize = 100;

/// Instances of modules that an instance of a plugin may have. The runtime of Python has tens.
const MAX_INSTANCES: usize = 500;

/// Bytes of the host that the instances of modules may take beside their memories and tables.
const INSTANCES_BYTES: usize = 128 << 20;

/// Bytes of the host that an instance of a module may take for each of its functions, imports, globals, elements of passive
/// segments and segments of data.
const PART_BYTES: usize = 32;

/// Returns the bound that a component exceeds. Bytes that are no component exceed none: the compiler refuses them.
pub(crate) fn exceeded_bound(component: &[u8]) -> Option<&'static str> {
    let (mut depth, mut instances) = (0_usize, 0);
    for payload in Parser::new(0).parse_all(component).map_while(Result::ok) {
        match payload {
            Payload::ModuleSection { .. } => depth += 1,
            Payload::ComponentSection { .. } if depth == MAX_DEPTH => return Some("components are nested too deeply"),
            Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
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

/// Returns the number of instances of modules that a plugin may have: fewer where its largest module has many parts.
pub(crate) fn max_instances(component: &[u8]) -> usize {
    let (mut parts, mut most_parts) = (0, 0);
    for payload in Parser::new(0).parse_all(component).map_while(Result::ok) {
        match payload {
            Payload::Version { .. } => parts = 0,
            Payload::ImportSection(imports) => parts += imports.count() as usize,
            Payload::FunctionSection(functions) => parts += functions.count() as usize,
            Payload::GlobalSection(globals) => parts += globals.count() as usize,
            Payload::DataSection(segments) => parts += segments.count() as usize,
            Payload::ElementSection(segments) => parts += count_elements(segments),
            _ => {}
        }
        most_parts = most_parts.max(parts);
    }
    MAX_INSTANCES.min(INSTANCES_BYTES / (most_parts * PART_BYTES).max(1))
}

fn count_elements(segments: ElementSectionReader<'_>) -> usize {
    let count = |items| match items {
        ElementItems::Functions(functions) => functions.count(),
        ElementItems::Expressions(_, expressions) => expressions.count(),
    };
    segments.into_iter().map_while(Result::ok).map(|segment| count(segment.items) as usize).sum()
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
    fn module_of_many_parts_has_few_instances() {
        let component =
            |parts: &str| wat::parse_str(format!("(component (core module {parts}))")).expect("it is well-formed");
        assert_eq!(max_instances(&component("")), 500);
        assert_eq!(max_instances(&component(&"(global i32 i32.const 0)".repeat(100_000))), 41);
        assert_eq!(max_instances(&component(&format!("(elem funcref {})", "(ref.null func)".repeat(100_000)))), 41);
        assert_eq!(max_instances(&component(&"(func)".repeat(100_000))), 41);
        assert_eq!(max_instances(&component(&r#"(data "")"#.repeat(50_000))), 83);
        let small = format!("(component {})", "(core module (func))".repeat(10_000));
        assert_eq!(max_instances(&wat::parse_str(small).expect("it is well-formed")), 500, "the largest module counts");
    }
}
