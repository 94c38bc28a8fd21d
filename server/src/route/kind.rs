//! What is counted together.

/// Routes that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ping,
    Ready,
    Metrics,
    Console,
    Control,
    Load,
    Unload,
    Invoke,
    Endpoint,
    /// No route at all.
    Unknown,
}

impl Kind {
    pub(crate) const ALL: [Self; 10] = [
        Self::Ping,
        Self::Ready,
        Self::Metrics,
        Self::Console,
        Self::Control,
        Self::Load,
        Self::Unload,
        Self::Invoke,
        Self::Endpoint,
        Self::Unknown,
    ];

    /// The name in metrics and logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Ready => "ready",
            Self::Metrics => "metrics",
            Self::Console => "console",
            Self::Control => "control",
            Self::Load => "load",
            Self::Unload => "unload",
            Self::Invoke => "invoke",
            Self::Endpoint => "endpoint",
            Self::Unknown => "unknown",
        }
    }

    /// Whether a prediction is asked for.
    pub(crate) fn is_invocation(self) -> bool {
        matches!(self, Self::Invoke | Self::Endpoint)
    }
}
