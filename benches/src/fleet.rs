//! Thousands of models that differ: the four city models, whose leaves are multiplied with another factor in each.

mod expected;

use std::{
    fs,
    fs::File,
    io::{Read, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use tar::{Archive, Builder, Header};
use thicket_tests::{houses, prefix};

use crate::{
    error::{Error, Result},
    legacy::Layout,
    load::requests::{Requests, bodies},
    prefix::rows,
};
use expected::Expected;

/// The member of an archive that SageMaker's training leaves.
const MEMBER: &str = "xgboost-model";
/// The platform's route, and its header that names a model.
const PLATFORM: &str = "/endpoints/bench/invocations";
const TARGET: &str = "x-amzn-sagemaker-target-model: {model}";
/// Trees of each model.
pub const TREES: usize = 100;
/// Models beside them that cannot be loaded.
pub const POISONED: usize = 8;
/// From where a leaf of XGBoost's older binary format has its value back to where it has its left child.
const LEFT_CHILD: usize = 12;
/// How often it is said how far the work is.
const PROGRESS: usize = 2000;

/// Models by number: what they are called, and what they answer.
#[derive(Debug)]
pub struct Fleet {
    names: Vec<String>,
    poisoned: Vec<String>,
    bodies: Vec<String>,
    expected: Arc<Expected>,
}

/// One of the models that all others are made of.
struct Original {
    /// What is in its archive.
    pickle: Vec<u8>,
    /// Where its leaves have their values.
    leaves: Vec<usize>,
}

impl Fleet {
    /// Writes `count` archives into `folder`, which is there, and [`POISONED`] others that are found broken at their last node.
    ///
    /// # Errors
    /// When they cannot be written.
    ///
    /// # Panics
    /// When the fixtures are broken.
    pub fn write(folder: &Path, count: usize) -> Result<Self> {
        let originals = Original::all()?;
        let names: Vec<_> = (0..count).map(|model| format!("model-{model:05}.tar.gz")).collect();
        let next = AtomicUsize::new(0);
        let work = || -> Result<()> {
            loop {
                let model = next.fetch_add(1, Ordering::Relaxed);
                let Some(name) = names.get(model) else { return Ok(()) };
                let path = folder.join(name);
                let archive = archive(&originals[model % originals.len()].scaled(factor(model)));
                fs::write(&path, archive.map_err(Error::at(MEMBER))?).map_err(Error::file(&path))?;
                if (model + 1).is_multiple_of(PROGRESS) {
                    eprintln!("  {} of {count}", model + 1);
                }
            }
        };
        thread::scope(|scope| {
            let threads = thread::available_parallelism().map_or(1, usize::from);
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("writing does not panic"))
        })?;
        let poisoned: Vec<_> = (0..POISONED).map(|model| format!("poisoned-{model}.tar.gz")).collect();
        for (name, original) in poisoned.iter().zip(originals.iter().cycle()) {
            let path = folder.join(name);
            let archive = archive(&original.poisoned()).map_err(Error::at(MEMBER))?;
            fs::write(&path, archive).map_err(Error::file(&path))?;
        }
        let bodies = bodies(&rows()?, 1).unwrap_or_default();
        let pickles: Vec<_> = originals.iter().map(|original| original.pickle.as_slice()).collect();
        let expected = Arc::new(Expected::new(&pickles, &bodies)?);
        Ok(Self { names, poisoned, bodies, expected })
    }

    /// Requests of one row on the platform's route, to one model after the other, whose answers are checked.
    ///
    /// # Errors
    /// When there is no model.
    pub fn platform_requests(&self) -> Result<Requests> {
        self.requests(PLATFORM, &[TARGET.to_owned()])
    }

    /// Such requests to the models that cannot be loaded.
    ///
    /// # Errors
    /// None, as there are some.
    pub fn poisoned_requests(&self) -> Result<Requests> {
        Requests::new(PLATFORM, &[TARGET.to_owned()], &self.poisoned, self.bodies.clone())
    }

    /// The same on the route of a container.
    ///
    /// # Errors
    /// As [`platform_requests`](Self::platform_requests).
    pub fn container_requests(&self) -> Result<Requests> {
        self.requests("/models/{model}/invoke", &[])
    }

    fn requests(&self, route: &str, headers: &[String]) -> Result<Requests> {
        let expected = Arc::clone(&self.expected);
        Ok(Requests::new(route, headers, &self.names, self.bodies.clone())?.held_against(expected))
    }

    /// What the models are called, by number.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of the model of that name.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u32> {
        self.names.binary_search_by(|known| known.as_str().cmp(name)).ok().and_then(|at| u32::try_from(at).ok())
    }
}

/// What the leaves of a model are multiplied with: another for each, so near to each other that all are house prices, and
/// so far apart that no two models round to the same.
#[must_use]
pub fn factor(model: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "thousands of models")]
    let number = model as f32;
    1.0 + number / 16_384.0
}

impl Original {
    fn all() -> Result<Vec<Self>> {
        houses().iter().map(|house| Self::read(&prefix().join(&house.target))).collect()
    }

    fn read(archive: &Path) -> Result<Self> {
        let pickle = member(archive).map_err(Error::file(archive))?;
        let booster = booster(&pickle).ok_or_else(|| Error::new(format!("{}: no booster", archive.display())))?;
        let bytes = &pickle[booster..];
        let leaves = Layout::of(bytes).leaves(bytes).into_iter().map(|leaf| booster + leaf).collect();
        Ok(Self { pickle, leaves })
    }

    /// The model with that factor.
    fn scaled(&self, factor: f32) -> Vec<u8> {
        let mut pickle = self.pickle.clone();
        for &leaf in &self.leaves {
            let value = pickle[leaf..].first_chunk_mut().expect("a leaf has four bytes");
            *value = (f32::from_le_bytes(*value) * factor).to_le_bytes();
        }
        pickle
    }

    /// The model whose last leaf has a child that there is not.
    fn poisoned(&self) -> Vec<u8> {
        let mut pickle = self.pickle.clone();
        let leaf = self.leaves.last().expect("a model has leaves");
        *pickle[leaf - LEFT_CHILD..].first_chunk_mut().expect("a leaf has four bytes") = i32::MAX.to_le_bytes();
        pickle
    }
}

/// The archive that training would leave of a model.
fn archive(pickle: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut header = Header::new_gnu();
    header.set_size(pickle.len() as u64);
    header.set_mode(0o644);
    let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    tar.append_data(&mut header, MEMBER, pickle)?;
    let mut gzip = tar.into_inner()?;
    gzip.flush()?;
    gzip.finish()
}

fn member(archive: &Path) -> std::io::Result<Vec<u8>> {
    let mut archive = Archive::new(GzDecoder::new(File::open(archive)?));
    let mut entry = archive.entries()?.next().ok_or(std::io::ErrorKind::UnexpectedEof)??;
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where the booster's own bytes begin in a pickle: behind the opcode `B` and a length that reaches almost to the end.
fn booster(pickle: &[u8]) -> Option<usize> {
    const TAIL: usize = 256;
    let is_it = |at: usize| {
        let Some((b'B', rest)) = pickle[at..].split_first() else { return false };
        let Some((length, bytes)) = rest.split_first_chunk() else { return false };
        let length = u32::from_le_bytes(*length) as usize;
        length > TAIL && (length..length + TAIL).contains(&bytes.len())
    };
    (0..pickle.len()).find(|&at| is_it(at)).map(|at| at + 5)
}

#[cfg(test)]
mod tests {
    use ndarray::ArrayView2;
    use thicket_engine::{Libraries, Output, offline};

    use super::*;
    use crate::load::requests::Truth;

    #[test]
    fn each_model_is_another_and_answers_what_is_expected_of_it() {
        let folder = tempfile::tempdir().unwrap();
        Fleet::write(folder.path(), 9).unwrap();
        let originals = Original::all().unwrap();
        let pickles: Vec<_> = originals.iter().map(|original| original.pickle.as_slice()).collect();
        let bodies = ["1975,2752,4,2.5,1.38,1".to_owned(), "2001,,3,1.5,0.5,2".to_owned()];
        let rows = [1975.0, 2752.0, 4.0, 2.5, 1.38, 1.0, 2001.0, f32::NAN, 3.0, 1.5, 0.5, 2.0];
        let rows = ArrayView2::from_shape((2, 6), &rows).unwrap();
        let expected = Expected::new(&pickles, &bodies).unwrap();
        for model in 0..9 {
            let path = folder.path().join(format!("model-{model:05}.tar.gz"));
            let opened = offline::open(&path, &Libraries::find(None, None, &[])).unwrap();
            assert_eq!(opened.trees(), Some(TREES));
            for (row, price) in opened.predict(rows, Output::Value).unwrap().values.iter().enumerate() {
                let answer = format!("[{}]", f64::from(*price));
                for other in 0..9 {
                    assert_eq!(expected.is_right(other, row, answer.as_bytes()), other == model, "{model} {other}");
                }
            }
        }
    }

    #[test]
    fn poisoned_models_are_refused_for_their_last_node() {
        let folder = tempfile::tempdir().unwrap();
        let fleet = Fleet::write(folder.path(), 1).unwrap();
        assert_eq!(fleet.poisoned.len(), POISONED);
        for name in &fleet.poisoned {
            let refused = offline::open(&folder.path().join(name), &Libraries::find(None, None, &[])).unwrap_err();
            assert!(refused.story().contains("trees[99]"), "{}", refused.story());
        }
    }

    #[test]
    fn all_factors_differ() {
        let mut factors: Vec<_> = (0..16_384).map(factor).collect();
        factors.dedup();
        assert_eq!(factors.len(), 16_384);
    }
}
