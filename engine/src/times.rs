//! How long what took on models' ways into memory and out of it.

use std::time::Duration;

use crate::histogram::{Durations, Histogram, micros};

/// One step of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Until it was this load's turn.
    Wait,
    /// Asking which version of the artifact there is.
    Locate,
    /// Bringing it here.
    Fetch,
    /// Reading its files.
    Unpack,
    /// Turning them into the form that is served.
    Convert,
    /// Checking that this answers as they do.
    Verify,
    /// Writing it to the cache.
    Publish,
    /// Making room in memory.
    Reserve,
    /// Mapping it, or giving it to another engine.
    Map,
}

impl Step {
    /// Every step, in the order in which they are taken.
    pub const ALL: [Self; 9] = [
        Self::Wait,
        Self::Locate,
        Self::Fetch,
        Self::Unpack,
        Self::Convert,
        Self::Verify,
        Self::Publish,
        Self::Reserve,
        Self::Map,
    ];

    /// The step's name in logs and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Locate => "locate",
            Self::Fetch => "fetch",
            Self::Unpack => "unpack",
            Self::Convert => "convert",
            Self::Verify => "verify",
            Self::Publish => "publish",
            Self::Reserve => "reserve",
            Self::Map => "map",
        }
    }
}

/// How long what took since an engine was made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Times {
    /// Each step of the loads that took it and made a model ready.
    pub steps: [(Step, Durations); Step::ALL.len()],
    /// Those loads as a whole.
    pub loads: Durations,
    /// Those loads without bringing the artifact here.
    pub loads_after_fetch: Durations,
    /// From the moment at which a model left the registry until its memory was back.
    pub unloads: Durations,
}

/// The histograms of loads.
#[derive(Debug, Default)]
pub(crate) struct LoadTimes {
    steps: [Histogram; Step::ALL.len()],
    loads: Histogram,
    loads_after_fetch: Histogram,
}

impl LoadTimes {
    /// Counts a load that made a model ready.
    pub(crate) fn observe(&self, steps: &Steps) {
        for (histogram, duration) in self.steps.iter().zip(steps.0) {
            if let Some(duration) = duration {
                histogram.observe(duration);
            }
        }
        let total = steps.total();
        let fetch = steps.0[Step::Fetch as usize].unwrap_or_default();
        self.loads.observe(total);
        self.loads_after_fetch.observe(total.saturating_sub(fetch));
    }

    pub(crate) fn times(&self, unloads: Durations) -> Times {
        let steps = Step::ALL.map(|step| (step, self.steps[step as usize].durations()));
        let (loads, loads_after_fetch) = (self.loads.durations(), self.loads_after_fetch.durations());
        Times { steps, loads, loads_after_fetch, unloads }
    }
}

/// How long the steps of one load took; those that it did not take have no time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Steps([Option<Duration>; Step::ALL.len()]);

impl Steps {
    /// Notes time for a step; a step may be taken twice.
    pub(crate) fn add(&mut self, step: Step, duration: Duration) {
        let time = &mut self.0[step as usize];
        *time = Some(time.unwrap_or_default() + duration);
    }

    /// A step's time in microseconds, if it was taken.
    pub(crate) fn us(&self, step: Step) -> Option<u64> {
        self.0[step as usize].map(micros)
    }

    /// Those of a load whose conversion lies in the cache.
    pub(crate) fn of_a_return(&self) -> Duration {
        [Step::Locate, Step::Reserve, Step::Map].iter().filter_map(|step| self.0[*step as usize]).sum()
    }

    /// All of them together.
    pub(crate) fn total(&self) -> Duration {
        self.0.iter().flatten().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_steps_that_were_taken_are_counted() {
        let mut steps = Steps::default();
        steps.add(Step::Locate, Duration::from_micros(30));
        steps.add(Step::Fetch, Duration::from_micros(100));
        steps.add(Step::Map, Duration::from_micros(10));
        steps.add(Step::Map, Duration::from_micros(2));
        assert_eq!((steps.us(Step::Map), steps.us(Step::Publish)), (Some(12), None));
        let load_times = LoadTimes::default();
        load_times.observe(&steps);
        let times = load_times.times(Durations::default());
        assert_eq!((times.loads.count(), times.loads.sum_us, times.loads_after_fetch.sum_us), (1, 142, 42));
        let counted = times.steps.iter().filter(|(_, durations)| durations.count() == 1).map(|(step, _)| *step);
        assert_eq!(counted.collect::<Vec<_>>(), [Step::Locate, Step::Fetch, Step::Map]);
    }
}
