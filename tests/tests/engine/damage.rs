//! Files of the cache that somebody cuts short while they are mapped: noticed, never a wrong answer, never an end of the
//! process.

use std::{
    fs::{self, OpenOptions},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use thicket_engine::{ErrorKind, Output, Reason};
use thicket_tests::{bits, cases, houses, matrix};

use crate::{
    setting::{Setting, check},
    storage::files,
};

const OUTPUTS: [Output; 4] = [Output::Value, Output::Margin, Output::Leaf, Output::Contributions];

#[tokio::test]
async fn wherever_a_file_is_cut_short_no_output_is_answered_from_it() {
    let models = tempfile::tempdir().unwrap();
    let cases: Vec<_> = cases().into_iter().filter(|case| case.version == "3.4.1").collect();
    for case in &cases {
        fs::write(models.path().join(&case.name), &case.files["model.json"]).unwrap();
    }
    let mut damages = 0;
    for case in &cases {
        let setting = Setting::over(models.path(), None, tempfile::tempdir().unwrap()).await;
        let mut model = setting.engine.model(&case.name).await.unwrap();
        let pack = files(setting.cache.path(), ".pack").remove(0);
        let bytes = fs::metadata(&pack).unwrap().len();
        let rows = matrix(&case.rows);
        let whole = OUTPUTS.map(|output| model.predict(rows.view(), output).map(|found| bits(&found.values)));
        for cut in [0, 64, bytes / 4, bytes / 2, bytes / 4 * 3, bytes - bytes % 4096, bytes - 130] {
            OpenOptions::new().write(true).open(&pack).unwrap().set_len(cut).unwrap();
            for (output, whole) in OUTPUTS.into_iter().zip(&whole) {
                for rows in [rows.view(), rows.slice(ndarray::s![..1, ..])] {
                    let answer = model.predict(rows, output).map(|found| bits(&found.values));
                    match (answer, model.is_damaged()) {
                        // What is gone were zeros.
                        (Ok(answer), false) => assert!(whole.as_ref().unwrap().starts_with(&answer)),
                        (Ok(_), true) => panic!("{} cut at {cut} answers", case.name),
                        (Err(error), _) if error.kind() == ErrorKind::Unsupported => assert!(whole.is_err()),
                        (Err(error), is_damaged) => {
                            let is_told = error.kind() == ErrorKind::Damaged && is_damaged;
                            assert!(is_told, "{} cut at {cut}: {error:?}", case.name);
                            damages += 1;
                        }
                    }
                }
            }
            model = setting.engine.renew(model).await.unwrap();
            let again = OUTPUTS.map(|output| model.predict(rows.view(), output).map(|found| bits(&found.values)));
            for (again, whole) in again.into_iter().zip(&whole) {
                assert_eq!(again.ok().as_ref(), whole.as_ref().ok(), "{} cut at {cut}", case.name);
            }
        }
        assert_eq!(setting.engine.departures()[0].reason, Reason::Damage);
    }
    // Of eight answers and seven cuts.
    assert!(damages > cases.len() * 40, "{damages} answers were refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_file_is_cut_short_again_and_again_every_answer_is_right() {
    let (setting, house) = (Setting::new(None).await, &houses()[0]);
    let rows = matrix(&house.rows);
    let first = setting.engine.model(&house.target).await.unwrap();
    let pack = files(setting.cache.path(), ".pack").remove(0);
    for round in 0..50 {
        let model = setting.engine.model(&house.target).await.unwrap();
        check(&model, house);
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    loop {
                        let was_over = is_over.load(Ordering::SeqCst);
                        match model.predict(rows.view(), Output::Value) {
                            Ok(found) => assert_eq!(bits(&found.values), bits(&house.prices)),
                            Err(error) => return assert_eq!(error.kind(), ErrorKind::Damaged),
                        }
                        assert!(!was_over, "the damage was not noticed");
                    }
                });
            }
            OpenOptions::new().write(true).open(&pack).unwrap().set_len(round * 1000).unwrap();
            while !model.is_damaged() {}
            is_over.store(true, Ordering::SeqCst);
        });
        setting.engine.renew(model).await.unwrap();
    }
    assert!(first.is_damaged() && setting.engine.counts().departures(Reason::Damage) == 50);
}
