//! Packs whose size and checksum are right: one that opens predicts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ndarray::Array2;
use thicket_engine::{Output, offline};

/// The widest row that is predicted.
const FEATURES_MAX: usize = 1 << 16;

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.to_vec();
    if bytes.len() > 64 {
        let size = (bytes.len() as u64).to_le_bytes();
        bytes[16..24].copy_from_slice(&size);
        let checksum = crc32fast::hash(&bytes[64..]);
        bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
    }
    let Ok(model) = offline::open_pack(&bytes) else { return };
    let features = model.features().unwrap_or(0);
    if features <= FEATURES_MAX {
        model.predict(Array2::from_elem((2, features), 1.0).view(), Output::Value).expect("the rows are of its width");
    }
});
