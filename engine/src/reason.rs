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
    /// Somebody cut its file short.
    Damage,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 5] = [Self::Room, Self::Pressure, Self::Idle, Self::Unload, Self::Damage];

    /// The reason's name in logs, metrics and listings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Room => "room",
            Self::Pressure => "pressure",
            Self::Idle => "idle",
            Self::Unload => "unload",
            Self::Damage => "damage",
        }
    }
}
