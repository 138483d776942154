//! The errors of compositions.

use thiserror::Error;

/// The reason why a plugin cannot be composed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CompositionError {
    /// The bytes are no component.
    #[error("it is no valid component: {0}")]
    NotAComponent(String),
    /// The bytes are a core module.
    #[error(
        "it is a core module, not a component: build it for wasm32-wasip2, or make it a component with `wasm-tools \
         component new`"
    )]
    CoreModule,
    /// The plugin has no import of these names, which would be allowed.
    #[error("it imports no {}: name an interface or a package of its imports, without a version", .0.join(", "))]
    NothingToAllow(Vec<String>),
    /// The plugin does not import the queue.
    #[error("it does not import mail:queue/intake, so it cannot queue mail")]
    NoIntake,
    /// The plugin imports interfaces, named here, that would give it the directory of the queue or an operator's rights.
    #[error("it imports {}, which no plugin gets", .0.join(", "))]
    Forbidden(Vec<String>),
    /// The plugin imports interfaces or packages, named here, that it may not have.
    #[error("it imports {}, which a plugin does not get", .0.join(", "))]
    Refused(Vec<String>),
    /// The plugin and the queue store disagree on a type, or the result would not be valid.
    #[error("it cannot be composed: {0}")]
    Mismatch(String),
}

impl CompositionError {
    /// Returns the error of a step of the composition, with its causes.
    pub(crate) fn mismatch(error: &dyn std::error::Error) -> CompositionError {
        let causes = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
        CompositionError::Mismatch(causes.collect::<Vec<_>>().join(": "))
    }
}
