//! From a model file to the form that is served: converted to ONNX, compiled to a pack, and verified before it is used.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use thicket_converters::{
    self as converters, Form as Trainer,
    onnx::{self, ModelProto},
};

use crate::{
    artifact::ModelFile,
    bundle,
    cache::{Form, seal},
    compile,
    counts::Counters,
    error::{Error, ErrorKind, Result},
    foreign,
    pack::{Pack, draft::Draft},
    reading::Reading,
    verify,
};

/// A model in the form in which it is cached and opened.
#[derive(Debug)]
pub(crate) struct Converted {
    pub(crate) form: Form,
    /// What the cache holds: a pack, a bundle, or the sealed bytes of another form.
    pub(crate) bytes: Vec<u8>,
    /// Why the model is not a pack, for those that another engine runs.
    pub(crate) reason: Option<String>,
    /// How long its verification took.
    pub(crate) verify: Duration,
}

impl Converted {
    fn forest(pack: Vec<u8>, verify: Duration) -> Self {
        Self { form: Form::Forest, bytes: pack, reason: None, verify }
    }
}

/// What writes a booster as ONNX.
pub(crate) type Lower = fn(&converters::Booster) -> converters::Result<onnx::ModelProto>;

/// Converts artifacts in one way, and counts how that goes.
#[derive(Debug)]
pub(crate) struct Converter {
    pub(crate) reading: Reading,
    lower: Lower,
    counters: Arc<Counters>,
}

impl Converter {
    pub(crate) fn new(reading: Reading, counters: Arc<Counters>) -> Self {
        Self::lowering(onnx::lower, reading, counters)
    }

    /// One that writes ONNX in its own way.
    pub(crate) fn lowering(lower: Lower, reading: Reading, counters: Arc<Counters>) -> Self {
        Self { reading, lower, counters }
    }

    /// Converts the model files of an artifact, sorted by name; several are the members of an ensemble.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArtifact`] with the file's name and the place in it when it is damaged or no model,
    /// [`ErrorKind::Unsupported`] when it is well formed but nothing here can serve it.
    pub(crate) fn convert(&self, files: &[ModelFile]) -> Result<Converted> {
        let converted = match counting(files, self.reading) {
            [file] => self.convert_file(file)?,
            files => self.convert_ensemble(files)?,
        };
        self.counters.conversions.add_one();
        match converted.form {
            Form::Forest | Form::Bundle => {}
            Form::Onnx => self.counters.onnxruntime_fallbacks.add_one(),
            Form::Booster => self.counters.xgboost_fallbacks.add_one(),
        }
        Ok(converted)
    }

    /// Converts every member of an ensemble, which have to fit together.
    fn convert_ensemble(&self, files: &[ModelFile]) -> Result<Converted> {
        let mut packs = Vec::with_capacity(files.len());
        let mut shapes = Vec::with_capacity(files.len());
        let mut verify = Duration::ZERO;
        for file in files {
            let member = self.convert_file(file)?;
            if member.form != Form::Forest {
                let message = format!(
                    "{:?} is no member of an ensemble, because it does not run on thicket's kernels: {}",
                    file.name,
                    member.reason.unwrap_or_default()
                );
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
            shapes.push(Pack::from_bytes(&member.bytes)?.shape());
            verify += member.verify;
            packs.push(member.bytes);
        }
        check_shapes(files, &shapes)?;
        Ok(Converted { form: Form::Bundle, bytes: bundle::write(&packs), reason: None, verify })
    }

    fn convert_file(&self, file: &ModelFile) -> Result<Converted> {
        self.convert_bytes(&file.bytes)
            .map_err(|error| Error::caused(error.kind(), format!("cannot convert {:?}", file.name), error))
    }

    fn convert_bytes(&self, bytes: &[u8]) -> Result<Converted> {
        match converters::recognise(bytes) {
            Trainer::Unknown => Err(Error::new(
                ErrorKind::InvalidArtifact,
                "it is neither a booster of XGBoost (pickled, binary, JSON or UBJSON) nor an ONNX model",
            )),
            Trainer::Onnx => self.convert_onnx(bytes),
            _ => self.convert_booster(bytes),
        }
    }

    /// Runs tree ensembles on our kernels and leaves every other graph to ONNX Runtime.
    fn convert_onnx(&self, bytes: &[u8]) -> Result<Converted> {
        let model = onnx::decode(bytes).map_err(refused)?;
        Ok(match self.onnx_forest(&model) {
            Ok(forest) => forest,
            Err(reason) => {
                let broken = |what: compile::Reason| Error::new(ErrorKind::InvalidArtifact, what.to_string());
                compile::soundness::check(&model).map_err(broken)?;
                tracing::info!(%reason, "a graph is left to ONNX Runtime");
                Converted {
                    form: Form::Onnx,
                    bytes: seal(bytes.to_vec()),
                    reason: Some(reason),
                    verify: Duration::ZERO,
                }
            }
        })
    }

    /// The pack of the tree ensemble that answers for `model`, or the reason why there is none.
    fn onnx_forest(&self, model: &ModelProto) -> Result<Converted, String> {
        let words = |reason: compile::Reason| reason.to_string();
        if compile::is_lowered(model) && compile::is_older(model) {
            let (draft, verify) = self.verified(&foreign::read_first(model).map_err(words)?, model)?;
            return self.checked(&compile::complete(draft, model).map_err(words)?, verify);
        }
        if compile::is_lowered(model) {
            return self.checked(&compile::compile(model).map_err(words)?.with_second_form(), Duration::ZERO);
        }
        let (draft, verify) = self.verified(&foreign::read(model).map_err(words)?, model)?;
        Ok(Converted::forest(draft.write(), verify))
    }

    /// The layout of an ensemble that was read from `model`, its sums held against a plain evaluation, and how long that took.
    fn verified(&self, ensemble: &foreign::Ensemble, model: &ModelProto) -> Result<(Draft, Duration), String> {
        let draft = foreign::compile(ensemble, model).map_err(|reason| reason.to_string())?.with_second_form();
        let pack = Pack::from_bytes(&draft.write()).map_err(|error| error.story())?;
        let verify = self.timed(|| verify::verify_ensemble(ensemble, pack.sections()))?;
        Ok((draft, verify))
    }

    /// Lowers a booster to ONNX and compiles that; what cannot be lowered or does not verify is left to `XGBoost`.
    fn convert_booster(&self, bytes: &[u8]) -> Result<Converted> {
        let booster = read_booster(bytes, self.reading)?;
        match self.forest(&booster) {
            Ok(forest) => Ok(forest),
            Err(reason) => {
                tracing::warn!(%reason, "a booster is left to XGBoost's library");
                let model = converters::lift(bytes).map_err(refused)?;
                let whole = converters::read_booster(&model).map_err(refused)?;
                if whole.trees().len() != booster.trees().len() {
                    let message =
                        "training stopped early, and XGBoost's library cannot be told to use only the first trees";
                    let cause = Error::new(ErrorKind::Unsupported, reason);
                    return Err(Error::caused(ErrorKind::Unsupported, message, cause));
                }
                Ok(Converted {
                    form: Form::Booster,
                    bytes: seal(model.into_owned()),
                    reason: Some(reason),
                    verify: Duration::ZERO,
                })
            }
        }
    }

    /// The verified pack of `booster`, or the reason why there is none.
    fn forest(&self, booster: &converters::Booster) -> Result<Converted, String> {
        // The graph, which is as large as the file, is let go before the second form and the pack take memory.
        let draft = {
            let model = (self.lower)(booster).map_err(|error| error.to_string())?;
            compile::compile(&model).map_err(|reason| reason.to_string())?
        };
        let bytes = draft.with_second_form().write();
        let pack = Pack::from_bytes(&bytes).map_err(|error| error.story())?;
        let verify = self.timed(|| verify::verify(booster, pack.sections()))?;
        Ok(Converted::forest(bytes, verify))
    }

    /// The pack of a graph that says it was written here, which it may not have been: whole, or the reason why it is not.
    fn checked(&self, draft: &Draft, verify: Duration) -> Result<Converted, String> {
        let bytes = draft.write();
        let pack = Pack::from_bytes(&bytes).map_err(|error| error.story())?;
        let kernels = self.timed(|| verify::verify_kernels(pack.sections()))?;
        Ok(Converted::forest(bytes, verify + kernels))
    }

    /// How long a verification took; it is counted when it fails.
    fn timed(&self, verify: impl FnOnce() -> Result<(), String>) -> Result<Duration, String> {
        let started = Instant::now();
        verify().inspect_err(|_| self.counters.verification_failures.add_one())?;
        Ok(started.elapsed())
    }
}

/// Those of an artifact's files that count.
pub(crate) fn counting(files: &[ModelFile], reading: Reading) -> &[ModelFile] {
    if reading.ensemble { files } else { files.get(..1).unwrap_or_default() }
}

/// Refuses members that take different rows or answer different numbers of values.
fn check_shapes(files: &[ModelFile], shapes: &[(usize, usize)]) -> Result<()> {
    let Some(odd) = shapes.iter().position(|shape| *shape != shapes[0]) else { return Ok(()) };
    let shown = |at: usize| {
        let (features, columns) = shapes[at];
        format!("{:?} has {features} features and {columns} values a row", files[at].name)
    };
    let message = format!("the models of an ensemble do not agree: {}, {}", shown(0), shown(odd));
    Err(Error::new(ErrorKind::Unsupported, message))
}

/// The booster in a model file, with the trees that `reading` asks for.
pub(crate) fn read_booster(bytes: &[u8], reading: Reading) -> Result<converters::Booster> {
    converters::read_booster_with(bytes, reading.best_iteration).map_err(refused)
}

/// A converter's complaint about a file as an error of this crate.
pub(crate) fn refused(error: converters::Error) -> Error {
    let kind = if error.is_unsupported() { ErrorKind::Unsupported } else { ErrorKind::InvalidArtifact };
    Error::caused(kind, "the converter refuses it", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{LINE, TREE};

    fn convert(model: &[u8]) -> Result<Converted> {
        let files = [ModelFile { name: "xgboost-model".to_owned(), bytes: model.to_vec() }];
        Converter::new(Reading::default(), Arc::default()).convert(&files)
    }

    #[test]
    fn a_graph_that_only_says_it_was_written_here_is_refused_where_its_pack_would_be() {
        let mut model = onnx::lower(&converters::read_booster(TREE.as_bytes()).unwrap()).unwrap();
        assert_eq!(convert(&onnx::encode(&model)).unwrap().form, Form::Forest);
        let attributes = &mut model.graph.as_mut().unwrap().node[0].attribute;
        attributes.iter_mut().find(|attribute| attribute.name == "leaf_targetids").unwrap().ints[1] = 4;
        let error = convert(&onnx::encode(&model)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArtifact);
        assert!(error.story().contains("leaf_targetids holds 4"), "{}", error.story());
    }

    #[test]
    fn a_booster_without_trees_is_a_pack_of_base_margins() {
        let treeless = r#"{"name":"gbtree","model":{"tree_info":[],"trees":[]}}"#;
        let linear = r#"{"name":"gblinear","model":{"weights":[2.0,-1.0,0.0]}}"#;
        let converted = convert(LINE.replace(linear, treeless).as_bytes()).unwrap();
        assert_eq!((converted.form, converted.reason), (Form::Forest, None));
        let pack = Pack::from_bytes(&converted.bytes).unwrap();
        assert_eq!((pack.sections().base, pack.sections().trees.len()), (&[0.5][..], 0));
    }
}
