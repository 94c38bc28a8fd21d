//! Which of a graph's outputs is the answer, whatever runs the graph.

/// What an output holds for each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Floats,
    /// A map from classes to probabilities.
    Maps,
    Labels,
}

/// How good an answer an output is: the lower, the better. What converters call the answer comes first, then other
/// floats, then maps, then labels.
pub(crate) fn rank(name: &str, kind: Kind) -> usize {
    const NAMES: [&str; 3] = ["value", "probabilities", "variable"];
    match kind {
        Kind::Floats => NAMES.iter().position(|known| *known == name).unwrap_or(NAMES.len()),
        Kind::Maps => NAMES.len() + 1,
        Kind::Labels => NAMES.len() + 2,
    }
}
