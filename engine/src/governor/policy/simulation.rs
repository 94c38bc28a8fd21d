//! The policy on traces of requests, beside least recently used: what share of requests finds its model in memory.

#![allow(clippy::cast_precision_loss, reason = "small numbers")]

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use super::{Resident, victims};
use crate::governor::worth::{Clock, Remembered, Worth};

/// Models under the prefix, and how many of them fit.
const MODELS: usize = 10_000;
const FIT: usize = 1000;
const REQUESTS: usize = 200_000;
/// Requests until the memory is full and popularity known.
const WARM_UP: usize = 60_000;
const REQUESTS_PER_SECOND: f64 = 500.0;
const RESIDENCY_MIN: Duration = Duration::from_secs(1);
/// Room is made for so many loads at once, as the engine does.
const ROOM: u64 = 4;

/// The sequence "splitmix64" (Steele, Lea, Flood 2014) as numbers below 1.
struct Random(u64);

impl Random {
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Requests for models whose popularity is Zipf's with that exponent; who is popular shifts every `shift` requests.
fn zipf(exponent: f64, shift: usize) -> Vec<usize> {
    let mut random = Random(7);
    let mut sums = vec![0.0];
    for rank in 1..=MODELS {
        sums.push(sums[rank - 1] + (rank as f64).powf(-exponent));
    }
    let drawn = |random: &mut Random| {
        let at = random.share() * sums[MODELS];
        sums.partition_point(|&sum| sum <= at).min(MODELS) - 1
    };
    (0..REQUESTS).map(|number| (drawn(&mut random) * 7919 + number / shift * 3001) % MODELS).collect()
}

/// Popular models, and again and again a walk over many others, as a nightly job makes it.
fn with_walks() -> Vec<usize> {
    let mut requests = zipf(1.0, usize::MAX);
    for (walk, requests) in requests.chunks_exact_mut(50_000).enumerate() {
        requests.iter_mut().take(5000).enumerate().for_each(|(step, model)| *model = (walk * 1777 + step) % MODELS);
    }
    requests
}

/// What share of the requests after the warm-up found its model in memory, and how often one was loaded again before its
/// minimum residency was over.
#[derive(Debug)]
struct Outcome {
    hit_percent: f64,
    hasty: usize,
}

fn hit_percent(hits: usize, requests: &[usize]) -> f64 {
    hits as f64 * 100.0 / (requests.len() - WARM_UP) as f64
}

fn least_recently_used(requests: &[usize]) -> f64 {
    let (mut used_at, mut order) = (HashMap::new(), BTreeMap::new());
    let mut hits = 0;
    for (at, &model) in requests.iter().enumerate() {
        match used_at.insert(model, at) {
            Some(before) => {
                order.remove(&before);
                hits += usize::from(at >= WARM_UP);
            }
            None if order.len() == FIT => {
                let (_, oldest) = order.pop_first().unwrap();
                used_at.remove(&oldest);
            }
            None => {}
        }
        order.insert(at, model);
    }
    hit_percent(hits, requests)
}

fn governed(requests: &[usize]) -> Outcome {
    let time = |at: usize| Duration::from_secs_f64(at as f64 / REQUESTS_PER_SECOND);
    let (mut clock, mut remembered) = (Clock::default(), Remembered::default());
    let mut residents: HashMap<usize, (Worth, usize)> = HashMap::new();
    let mut loaded_at = HashMap::new();
    let (mut hits, mut hasty) = (0, 0);
    for (at, &model) in requests.iter().enumerate() {
        clock.tick(1, residents.len());
        if let Some((worth, _)) = residents.get_mut(&model) {
            *worth = worth.and(1, clock);
            hits += usize::from(at >= WARM_UP);
            continue;
        }
        if residents.len() == FIT {
            let seen = |(worth, since): (Worth, usize)| {
                let age = time(at).saturating_sub(time(since));
                Resident { bytes: 1, worth: worth.per_byte(1, 1), age, is_pinned: false }
            };
            let models: Vec<usize> = residents.keys().copied().collect();
            let seen: Vec<Resident> = models.iter().map(|model| seen(residents[model])).collect();
            for victim in victims(&seen, ROOM, RESIDENCY_MIN).unwrap() {
                let (worth, _) = residents.remove(&models[victim]).unwrap();
                remembered.keep(&models[victim].to_string(), worth, FIT);
            }
        }
        if let Some(before) = loaded_at.insert(model, at) {
            hasty += usize::from(time(at).saturating_sub(time(before)) < RESIDENCY_MIN);
        }
        residents.insert(model, (remembered.recall(&model.to_string()).and(1, clock), at));
    }
    Outcome { hit_percent: hit_percent(hits, requests), hasty }
}

/// Checks that the policy gains so many points on least recently used, and that nothing goes back and forth.
#[track_caller]
fn check(requests: &[usize], points: f64) {
    let (lru, outcome) = (least_recently_used(requests), governed(requests));
    println!("least recently used {lru:.2} %, governed {:.2} %", outcome.hit_percent);
    assert!(outcome.hit_percent >= lru + points, "{outcome:?} against {lru:.2} %");
    assert_eq!(outcome.hasty, 0, "models loaded twice within their minimum residency");
}

#[test]
fn on_zipf_traffic_over_ten_times_the_memory_it_gains_five_points() {
    check(&zipf(1.0, usize::MAX), 5.0);
}

#[test]
fn on_flatter_and_on_steeper_traffic_it_gains_too() {
    check(&zipf(0.7, usize::MAX), 5.0);
    check(&zipf(1.3, usize::MAX), 1.0);
}

#[test]
fn when_popularity_shifts_it_gains_all_the_same() {
    check(&zipf(1.0, 70_000), 2.5);
}

#[test]
fn walks_over_all_models_do_not_drive_out_the_popular_ones() {
    check(&with_walks(), 5.0);
}
