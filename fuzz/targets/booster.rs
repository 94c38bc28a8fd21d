//! Every form that XGBoost has written: pickle, legacy, JSON, UBJSON. An accepted booster predicts and is lowered.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thicket_converters::{arithmetic, onnx, read_booster};

fuzz_target!(|bytes: &[u8]| {
    let Ok(booster) = read_booster(bytes) else { return };
    let mut values = Vec::new();
    arithmetic::values(&booster, &[0.5; 8], &mut values);
    assert_eq!(values.len(), booster.columns());
    if let Ok(model) = onnx::lower(&booster) {
        assert_eq!(onnx::decode(&onnx::encode(&model)).as_ref().ok(), Some(&model));
    }
});
