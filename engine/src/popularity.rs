//! Which models are asked for most: a bounded number of names, however many models there are.

use std::{
    cmp::Reverse,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::slot::Loaded;

/// Longer names are not told: they would make an answer long, and cut they would not be told apart.
const NAME_BYTES_MAX: usize = 1024;

/// Requests for the models that are asked for most, as numbers that only grow for as long as a name is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Popular {
    /// Names and requests.
    pub models: Vec<(Arc<str>, u64)>,
    /// Requests that have ever been counted under a name, also under one that is no longer there. All other requests are
    /// those for all other models, and that number only grows as well.
    pub named_requests: u64,
}

/// The names, from one question to the next.
#[derive(Debug, Default)]
pub(crate) struct Popularity(Mutex<Popular>);

impl Popularity {
    /// The `count` models that are asked for most, of those in memory and those that have been named.
    ///
    /// What a model was asked for before it has a name is not counted under it, and neither is what it was asked for
    /// between the last question and its leaving memory.
    pub(crate) fn popular(&self, loaded: &[Arc<Loaded>], count: usize) -> Popular {
        let mut popular = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut busiest: Vec<(u64, &Arc<Loaded>)> = loaded.iter().map(|loaded| (loaded.requests(), loaded)).collect();
        busiest.sort_unstable_by_key(|(requests, _)| Reverse(*requests));
        for (requests, loaded) in busiest.iter().take(count).filter(|(requests, _)| *requests > 0) {
            popular.admit(&loaded.name, *requests, count);
        }
        let places: HashMap<Arc<str>, usize> =
            popular.models.iter().enumerate().map(|(place, (name, _))| (Arc::clone(name), place)).collect();
        for (_, loaded) in busiest {
            let fresh = loaded.unreported_requests();
            if let Some(&place) = places.get(&loaded.name) {
                popular.models[place].1 += fresh;
                popular.named_requests += fresh;
            }
        }
        popular.clone()
    }
}

impl Popular {
    /// Gives a model a name here, if need be that of one that is asked for less.
    fn admit(&mut self, name: &Arc<str>, requests: u64, count: usize) {
        if name.len() > NAME_BYTES_MAX || self.models.iter().any(|(known, _)| known == name) {
            return;
        }
        if self.models.len() >= count {
            let least = self.models.iter().enumerate().min_by_key(|(_, (_, requests))| *requests);
            match least {
                Some((place, (_, least_requests))) if *least_requests < requests => drop(self.models.remove(place)),
                _ => return,
            }
        }
        self.models.push((Arc::clone(name), 0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busier_model_takes_the_least_busy_ones_place() {
        let mut popular = Popular::default();
        let admit = |popular: &mut Popular, name: &str, requests| popular.admit(&Arc::from(name), requests, 2);
        admit(&mut popular, "a", 5);
        admit(&mut popular, "b", 3);
        popular.models[0].1 = 5;
        popular.models[1].1 = 3;
        admit(&mut popular, "c", 3);
        admit(&mut popular, "a", 9);
        admit(&mut popular, &"d".repeat(NAME_BYTES_MAX + 1), 9);
        let names = |popular: &Popular| popular.models.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(&popular), ["a", "b"]);
        admit(&mut popular, "c", 4);
        assert_eq!(names(&popular), ["a", "c"]);
    }
}
