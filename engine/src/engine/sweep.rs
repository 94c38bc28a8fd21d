//! What happens to models in memory whose artifacts change or disappear: now and then the source is asked for all of them,
//! what changed is loaded beside the old one and takes its place, and what has long been deleted leaves. Ends with the
//! engine.
//!
//! A source that does not answer changes nothing, and neither does an artifact that cannot be loaded.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use tokio::{task::JoinSet, time};

use super::Shared;
use crate::{
    cache::Key,
    error::{Error, ErrorKind},
    reason::Reason,
    source::Source,
};

/// Questions that are asked at once, and the most of them in a second while there is time enough.
const QUESTIONS_MAX: usize = 8;
const QUESTIONS_PER_SECOND: u32 = 100;
/// Artifacts on a page of the listing.
const PAGE_ARTIFACTS: usize = 1000;
/// A change that cannot be used is tried again after so many periods, then twice as many, up to the second.
const PERIODS: u32 = 2;
const PERIODS_MAX: u32 = 64;

/// How often it is looked after changes, and how long a deleted artifact is still served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) period: Duration,
    pub(super) deleted_grace: Duration,
}

/// What is known from one sweep to the next.
struct Sweeper {
    shared: Weak<Shared>,
    source: Arc<dyn Source>,
    times: Times,
    /// Pages that the listing has at least.
    pages: usize,
    /// Since when artifacts are missing.
    missing: HashMap<Arc<str>, Instant>,
    /// Changes that could not be used.
    failed: HashMap<Arc<str>, Attempt>,
}

/// A change that could not be used, and when it may be tried again.
struct Attempt {
    key: Key,
    periods: u32,
    until: Instant,
}

/// Models in memory, by name, and the conversions that they are.
type Residents = HashMap<Arc<str>, Key>;

/// What the source says of them.
#[derive(Default)]
struct Answers {
    /// What their artifacts are now, where that is something else.
    changed: Vec<(Arc<str>, Key)>,
    missing: Vec<Arc<str>>,
    there: Vec<Arc<str>>,
}

/// Looks after changes for as long as somebody has the engine.
pub(super) async fn sweep(shared: Weak<Shared>, source: Arc<dyn Source>, times: Times) {
    let (missing, failed) = (HashMap::new(), HashMap::new());
    let mut sweeper = Sweeper { shared, source, times, pages: 1, missing, failed };
    loop {
        time::sleep(times.period).await;
        let Some(residents) = sweeper.residents() else { return };
        // What there is no answer for stays as it is.
        let Some(answers) = sweeper.ask(residents).await else { return };
        sweeper.let_go(answers.missing, &answers.there);
        sweeper.replace(answers.changed).await;
    }
}

impl Sweeper {
    /// The models that came from the source.
    fn residents(&self) -> Option<Residents> {
        let loaded = self.shared.upgrade()?.registry.loaded();
        let from_source = loaded.iter().filter(|loaded| loaded.is_from_source());
        Some(from_source.map(|loaded| (Arc::clone(&loaded.name), loaded.key)).collect())
    }

    /// What the source says of them; nothing when nobody has the engine any more.
    async fn ask(&mut self, mut residents: Residents) -> Option<Answers> {
        let mut answers = Answers::default();
        if self.shared.upgrade()?.outage.standing().is_some() {
            return Some(answers);
        }
        if let Some(cost) = self.source.page_cost() {
            self.list(cost, &mut residents, &mut answers).await?;
        }
        self.ask_each(residents, &mut answers).await?;
        Some(answers)
    }

    /// Looks for the residents in the listing for as long as that costs less than a question for each, and takes out those that
    /// it found. Whatever the listing does not have is asked for.
    async fn list(&mut self, cost: usize, residents: &mut Residents, answers: &mut Answers) -> Option<()> {
        let pages_max = residents.len() / cost.max(1);
        if pages_max < self.pages {
            return Some(());
        }
        let (mut pages, mut next, mut has_versions) = (0, None::<String>, false);
        while pages < pages_max {
            let shared = self.shared.upgrade()?;
            let page = shared.answer(&self.source, || self.source.page(next.as_deref(), PAGE_ARTIFACTS)).await;
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    tracing::debug!(error = error.story(), "the source does not list: each artifact is asked for");
                    return Some(());
                }
            };
            pages += 1;
            for listed in page.artifacts {
                let Some(version) = listed.version else { continue };
                has_versions = true;
                if let Some((name, old)) = residents.remove_entry(listed.name.as_str()) {
                    answers.note(name, old, shared.key(&self.source, &listed.name, &version));
                }
            }
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        self.pages = match next {
            _ if !has_versions => usize::MAX,
            Some(_) => pages + 1,
            None => pages,
        };
        Some(())
    }

    /// Asks for each of the residents, some at once.
    async fn ask_each(&self, residents: Residents, answers: &mut Answers) -> Option<()> {
        let mut pace = self.pace(residents.len());
        let mut questions = JoinSet::new();
        let mut residents = residents.into_iter();
        loop {
            let next = if questions.len() < QUESTIONS_MAX { residents.next() } else { None };
            if let Some((name, old)) = next {
                pace.tick().await;
                let (shared, source) = (self.shared.upgrade()?, Arc::clone(&self.source));
                questions.spawn(async move { (shared.ask(&source, &name).await, name, old) });
                continue;
            }
            let Some(answered) = questions.join_next().await else { return Some(()) };
            // A panic there is logged by its thread, and changes nothing here.
            let Ok((answered, name, old)) = answered else { continue };
            match answered {
                Ok(key) => answers.note(name, old, key),
                Err(error) if error.kind() == ErrorKind::NotFound => answers.missing.push(name),
                Err(error) => tracing::debug!(model = &*name, error = error.story(), "not known whether it changed"),
            }
        }
    }

    /// The ticks at which questions are asked, so that all of them take half of a period at the most.
    fn pace(&self, questions: usize) -> time::Interval {
        let share = u32::try_from(questions).unwrap_or(u32::MAX).max(1);
        let pause = (self.times.period / 2 / share).min(Duration::from_secs(1) / QUESTIONS_PER_SECOND);
        let mut pace = time::interval(pause.max(Duration::from_micros(1)));
        pace.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        pace
    }

    /// Lets go of what has been missing for long.
    fn let_go(&mut self, missing: Vec<Arc<str>>, there: &[Arc<str>]) {
        let Some(shared) = self.shared.upgrade() else { return };
        for name in there {
            self.missing.remove(name);
        }
        self.missing.retain(|name, _| shared.registry.find(name).is_some());
        for name in missing {
            let since = *self.missing.entry(Arc::clone(&name)).or_insert_with(Instant::now);
            if since.elapsed() < self.times.deleted_grace {
                continue;
            }
            self.missing.remove(&name);
            shared.cache.forget_latest(&shared.latest(&self.source, &name));
            if let Some(loaded) = shared.registry.find(&name).filter(|loaded| loaded.is_from_source()) {
                shared.let_go(&loaded, Reason::Deleted);
            }
        }
    }

    /// Loads what changed, some at once, unless it is too early for another try.
    async fn replace(&mut self, changed: Vec<(Arc<str>, Key)>) {
        let Some(shared) = self.shared.upgrade() else { return };
        self.failed.retain(|name, _| shared.registry.find(name).is_some());
        let at_once_max = (shared.load_permits_max / 2).max(1);
        drop(shared);
        let mut loads = JoinSet::new();
        let mut changed = changed.into_iter();
        loop {
            let next = if loads.len() < at_once_max { changed.next() } else { None };
            if let Some((name, key)) = next {
                if self.failed.get(&name).is_some_and(|failed| failed.key == key && Instant::now() < failed.until) {
                    continue;
                }
                let Some(shared) = self.shared.upgrade() else { return };
                let source = Arc::clone(&self.source);
                loads.spawn(async move { (shared.refresh(&name, source).await, name, key) });
                continue;
            }
            let Some(loaded) = loads.join_next().await else { return };
            let Ok((loaded, name, key)) = loaded else { continue };
            match loaded {
                Ok(()) => drop(self.failed.remove(&name)),
                Err(error) => self.note_failure(name, key, &error),
            }
        }
    }

    fn note_failure(&mut self, name: Arc<str>, key: Key, error: &Error) {
        tracing::warn!(model = &*name, error = error.story(), "cannot load what changed: the old model is served");
        let before = self.failed.get(&name).filter(|failed| failed.key == key).map(|failed| failed.periods);
        let periods = before.map_or(PERIODS, |periods| (periods * 2).min(PERIODS_MAX));
        // Half a period less, because periods are between sweeps, which take time.
        let pause = self.times.period * (2 * periods - 1) / 2;
        self.failed.insert(name, Attempt { key, periods, until: Instant::now() + pause });
    }
}

impl Answers {
    fn note(&mut self, name: Arc<str>, old: Key, now: Key) {
        self.there.push(Arc::clone(&name));
        if now != old {
            self.changed.push((name, now));
        }
    }
}
