//! Why models leave memory.

/// Why a model left memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// To make room for another; of those in memory it was worth least.
    Room,
    /// Because the process came near its memory limit; of those in memory it was worth least.
    Pressure,
    /// Nobody had asked for it for as long as a model may be idle.
    Idle,
    /// It was unloaded.
    Unload,
    /// Its artifact changed, and what was made of the new one took its place.
    Replaced,
    /// Its artifact is no longer in the source.
    Deleted,
    /// Somebody cut its file short.
    Damage,
}

impl Reason {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Self; 7] =
        [Self::Room, Self::Pressure, Self::Idle, Self::Unload, Self::Replaced, Self::Deleted, Self::Damage];

    /// The reason's name in logs, metrics and listings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Room => "room",
            Self::Pressure => "pressure",
            Self::Idle => "idle",
            Self::Unload => "unload",
            Self::Replaced => "replaced",
            Self::Deleted => "deleted",
            Self::Damage => "damage",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stands_at_its_number() {
        for (number, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, number);
        }
    }
}
