//! How something that was found is run again.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// How something that was found is run again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Replay {
    /// Nobody has said, or nobody needs to.
    #[default]
    Untold,
    /// By this command.
    Command(String),
    /// By none, or by none yet: for this reason.
    NoCommand(String),
}

impl Replay {
    /// What a person is told: the command, or why there is none.
    pub fn told(&self) -> Option<&str> {
        match self {
            Replay::Untold => None,
            Replay::Command(told) | Replay::NoCommand(told) => Some(told),
        }
    }
}

/// Two fields, of which one is null at least: a program must not take a reason for a command.
impl Serialize for Replay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (command, why) = match self {
            Replay::Untold => (None, None),
            Replay::Command(command) => (Some(command), None),
            Replay::NoCommand(why) => (None, Some(why)),
        };
        let mut fields = serializer.serialize_map(Some(2))?;
        fields.serialize_entry("replay", &command)?;
        fields.serialize_entry("no_replay", &why)?;
        fields.end()
    }
}
