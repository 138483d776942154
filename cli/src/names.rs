//! Names of the format's numbers.

/// The number of the status of a delivery that is still to be made.
pub(crate) const PENDING: i32 = 0;

/// The number of the status of a delivery that was made.
pub(crate) const SENT: i32 = 1;

/// The number of the status of a delivery that was given up.
pub(crate) const FAILED: i32 = 2;

/// The number of the kind of a delivery to a command.
pub(crate) const PIPE: i32 = 1;

/// An enum of the format whose numbers are open: a number without a name is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OpenEnum {
    /// The field `type` of a delivery.
    Kind,
    /// The field `status` of a delivery.
    Status,
}

impl OpenEnum {
    /// Returns the name of a number.
    pub(crate) fn name(self, number: i32) -> Option<&'static str> {
        match (self, number) {
            (OpenEnum::Kind, 0) => Some("EMAIL"),
            (OpenEnum::Kind, 1) => Some("PIPE"),
            (OpenEnum::Kind, 2) => Some("FORWARD"),
            (OpenEnum::Status, PENDING) => Some("PENDING"),
            (OpenEnum::Status, SENT) => Some("SENT"),
            (OpenEnum::Status, FAILED) => Some("FAILED"),
            _ => None,
        }
    }

    /// Returns the number that has a name.
    pub(crate) fn number(self, name: &str) -> Option<i32> {
        (0..)
            .map_while(|number| self.name(number).map(|known| (number, known)))
            .find(|(_, known)| *known == name)
            .map(|(number, _)| number)
    }

    /// Returns the name of a number, or its digits where it has none.
    pub(crate) fn text(self, number: i32) -> String {
        self.name(number).map_or_else(|| number.to_string(), str::to_string)
    }
}
