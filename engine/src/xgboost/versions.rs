//! Which versions of `XGBoost` read which models rightly: several read others' without an error and answer wrongly.

use thicket_converters::{Booster, Form, Model, SumOrder};

/// A version of `XGBoost`: major, minor.
type Version = (u32, u32);

/// What a model is, as far as versions differ in reading it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    version: Version,
    is_legacy: bool,
    has_quantiles: bool,
    leaves_first: bool,
    made_of: Parts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parts {
    Trees,
    TreesOfVectors,
    Weights,
}

impl From<&Booster> for Written {
    fn from(booster: &Booster) -> Self {
        let made_of = match &booster.model {
            Model::Linear(_) => Parts::Weights,
            Model::Trees(trees) if trees.iter().any(|tree| tree.values_per_leaf > 1) => Parts::TreesOfVectors,
            Model::Trees(_) => Parts::Trees,
        };
        Self {
            version: (booster.version.major, booster.version.minor),
            is_legacy: matches!(booster.form, Form::Legacy | Form::LegacySigned | Form::LegacyConfigured),
            has_quantiles: booster.objective.name() == "reg:quantileerror",
            leaves_first: made_of != Parts::Weights && booster.sum_order == SumOrder::LeavesThenBase,
            made_of,
        }
    }
}

/// Whether the library of version `library` answers as the writer did.
///
/// Found by predicting with models of every kind from 0.72 to 3.4 in libraries from 1.7 to 3.4. One difference cannot be
/// told from here: up to 1.3 the base score of a linear classifier, unless it is 0.5, was rounded otherwise.
///
/// # Errors
/// The reason in words when it refuses the model, answers otherwise without an error, or ends the process over it.
pub(super) fn reads_rightly(written: &Written, library: Version) -> Result<(), String> {
    let fault = RULES.iter().find(|rule| (rule.applies)(written, library));
    fault.map_or(Ok(()), |rule| Err(format!("the library {}", rule.fault)))
}

struct Rule {
    applies: fn(&Written, Version) -> bool,
    fault: &'static str,
}

/// The first rule that applies names the reason.
const RULES: [Rule; 6] = [
    Rule {
        applies: |written, library| written.is_legacy && library >= (3, 1),
        fault: "does not read the binary format, which 3.0 was the last to read",
    },
    // 3.1 made the base score an array, and 3.4 moved the weights of dart: older libraries pass over both in silence.
    Rule {
        applies: |written, library| written.version > library,
        fault: "is older than the model and may misread it without an error",
    },
    Rule {
        applies: |written, library| {
            written.made_of == Parts::TreesOfVectors && written.version < (3, 2) && library >= (3, 2)
        },
        fault: "ends the process over vector leaves from before 3.2",
    },
    // No library of use does: it shows in the last bit. From 1.0 to 1.2 `binary:logitraw` had another base score, too.
    Rule {
        applies: |written, _| written.leaves_first,
        fault: "does not sum leaves before the base score, as versions before 1.3 did, and before 1.4 with dart",
    },
    Rule {
        applies: |written, library| written.made_of == Parts::Weights && written.version < (1, 4) && library >= (3, 1),
        fault: "takes the base score of linear models from before 1.4 for another number",
    },
    Rule {
        applies: |written, library| written.has_quantiles && written.version < (3, 4) && library >= (3, 4),
        fault: "sorts quantiles, which versions before 3.4 did not",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    const TREES: Written =
        Written { version: (3, 0), is_legacy: false, has_quantiles: false, leaves_first: false, made_of: Parts::Trees };

    #[test]
    fn a_version_reads_what_it_reads_rightly() {
        let linear = Written { made_of: Parts::Weights, ..TREES };
        let vectors = Written { made_of: Parts::TreesOfVectors, ..TREES };
        let quantiles = Written { has_quantiles: true, ..TREES };
        let early = Written { leaves_first: true, ..TREES };
        for (written, version, is_legacy, library, expected) in [
            (TREES, (3, 0), false, (3, 0), Ok(())),
            (TREES, (1, 7), false, (3, 4), Ok(())),
            (TREES, (2, 0), true, (3, 0), Ok(())),
            (linear, (0, 0), true, (3, 0), Ok(())),
            (linear, (1, 3), false, (3, 0), Ok(())),
            (vectors, (3, 0), false, (3, 1), Ok(())),
            (vectors, (3, 4), false, (3, 4), Ok(())),
            (quantiles, (3, 0), false, (3, 2), Ok(())),
            (TREES, (2, 0), true, (3, 1), Err("binary format")),
            (TREES, (3, 1), false, (3, 0), Err("older")),
            (TREES, (3, 4), false, (3, 2), Err("older")),
            (vectors, (2, 1), false, (3, 2), Err("ends the process")),
            (vectors, (3, 1), false, (3, 4), Err("ends the process")),
            (early, (0, 0), true, (3, 0), Err("before the base score")),
            (early, (1, 2), false, (1, 7), Err("before the base score")),
            (linear, (1, 2), false, (3, 1), Err("base score of linear")),
            (quantiles, (3, 3), false, (3, 4), Err("quantiles")),
        ] {
            let answer = reads_rightly(&Written { version, is_legacy, ..written }, library);
            match (&answer, expected) {
                (Ok(()), Ok(())) => {}
                (Err(reason), Err(part)) if reason.contains(part) => {}
                _ => panic!("{version:?} in {library:?}: {answer:?}, not {expected:?}"),
            }
        }
    }
}
