//! ONNX Runtime, with one thread and no spinning.

use std::{path::Path, sync::OnceLock};

use ort::{
    environment::Environment,
    session::{Session, SessionInputValue},
    value::TensorRef,
};

use crate::{Result, scorer::Scorer, workload::Workload};

/// A session.
pub struct Model {
    session: Session,
    features: usize,
}

impl Model {
    /// Loads `opset3.onnx`, which thicket wrote from a booster, or else `model.onnx` with the library at `library`.
    pub fn open(library: &Path, workload: &Workload) -> Result<Self> {
        let graph = workload.folder.join("opset3.onnx");
        let graph = if graph.exists() { graph } else { workload.folder.join("model.onnx") };
        let builder = Session::builder(environment(library)?)?.with_intra_threads(1)?.with_inter_threads(1)?;
        let session = builder.with_intra_op_spinning(false)?.commit_from_file(graph)?;
        Ok(Self { session, features: workload.features })
    }
}

/// A process may have one environment only.
static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();

fn environment(library: &Path) -> Result<&'static Environment> {
    if let Some(environment) = ENVIRONMENT.get() {
        return Ok(environment);
    }
    let environment = ort::init_from(library)?.with_telemetry(false).build()?;
    Ok(ENVIRONMENT.get_or_init(|| environment))
}

impl Scorer for Model {
    fn score(&mut self, cells: &[f32], rows: usize, margins: &mut [f32]) -> Result<()> {
        let input: SessionInputValue<'_> = TensorRef::from_array_view(([rows, self.features], cells))?.into();
        let outputs = self.session.run([input])?;
        // The last output is what the trees gave, after the link if there is one; labels come before it.
        let (_, values) = outputs[outputs.len() - 1].try_extract_tensor::<f32>()?;
        margins.copy_from_slice(values);
        Ok(())
    }

    fn gives_margins(&self) -> bool {
        false
    }
}
