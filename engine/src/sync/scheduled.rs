//! The same from shuttle. Its map has dashmap's interface and its locks: each shard is locked on its own, and what is looked
//! up keeps its shard locked.

use std::{
    borrow::Borrow,
    collections::BTreeMap,
    fmt,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash},
    ops::Deref,
    rc::Rc,
};

pub(crate) use shuttle::sync::{Mutex, MutexGuard, atomic::AtomicU64};
use shuttle::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

const SHARDS: u64 = 2;
const POISON: &str = "a schedule ends with its first panic";

type Shard<K, V> = RwLock<BTreeMap<K, V>>;

/// A map whose shards are locked one by one.
pub(crate) struct Map<K, V>(Vec<Shard<K, V>>);

/// An entry on loan, and its shard with it.
pub(crate) struct Ref<'a, K, V> {
    shard: Rc<RwLockReadGuard<'a, BTreeMap<K, V>>>,
    key: K,
}

/// A key's place, and its shard with it.
pub(crate) enum Entry<'a, K, V> {
    Occupied(Place<'a, K, V>),
    Vacant(Place<'a, K, V>),
}

pub(crate) struct Place<'a, K, V> {
    shard: RwLockWriteGuard<'a, BTreeMap<K, V>>,
    key: K,
}

impl<K: Ord + Hash + Clone, V> Map<K, V> {
    pub(crate) fn new() -> Self {
        Self((0..SHARDS).map(|_| RwLock::new(BTreeMap::new())).collect())
    }

    fn shard<Q: Hash + ?Sized>(&self, key: &Q) -> &Shard<K, V> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
        &self.0[usize::try_from(hash % SHARDS).expect("few shards")]
    }

    pub(crate) fn get<Q: Ord + Hash + ?Sized>(&self, key: &Q) -> Option<Ref<'_, K, V>>
    where
        K: Borrow<Q>,
    {
        let shard = Rc::new(self.shard(key).read().expect(POISON));
        let key = shard.get_key_value(key)?.0.clone();
        Some(Ref { shard, key })
    }

    pub(crate) fn get_mut<Q: Ord + Hash + ?Sized>(&self, key: &Q) -> Option<Place<'_, K, V>>
    where
        K: Borrow<Q>,
    {
        let shard = self.shard(key).write().expect(POISON);
        let key = shard.get_key_value(key)?.0.clone();
        Some(Place { shard, key })
    }

    pub(crate) fn entry(&self, key: K) -> Entry<'_, K, V> {
        let shard = self.shard(&key).write().expect(POISON);
        let is_there = shard.contains_key(&key);
        let place = Place { shard, key };
        if is_there { Entry::Occupied(place) } else { Entry::Vacant(place) }
    }

    pub(crate) fn insert(&self, key: K, value: V) -> Option<V> {
        self.shard(&key).write().expect(POISON).insert(key, value)
    }

    pub(crate) fn remove<Q: Ord + Hash + ?Sized>(&self, key: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
    {
        self.remove_if(key, |_, _| true)
    }

    pub(crate) fn remove_if<Q: Ord + Hash + ?Sized>(
        &self,
        key: &Q,
        is_it: impl FnOnce(&K, &V) -> bool,
    ) -> Option<(K, V)>
    where
        K: Borrow<Q>,
    {
        let mut shard = self.shard(key).write().expect(POISON);
        let (found, value) = shard.get_key_value(key)?;
        if is_it(found, value) { shard.remove_entry(key) } else { None }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Ref<'_, K, V>> {
        self.0.iter().flat_map(|shard| {
            let shard = Rc::new(shard.read().expect(POISON));
            let keys: Vec<K> = shard.keys().cloned().collect();
            keys.into_iter().map(move |key| Ref { shard: Rc::clone(&shard), key })
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|shard| shard.read().expect(POISON).len()).sum()
    }
}

impl<K, V> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Map")
    }
}

impl<K: Ord, V> Ref<'_, K, V> {
    pub(crate) fn key(&self) -> &K {
        &self.key
    }

    pub(crate) fn value(&self) -> &V {
        self.shard.get(&self.key).expect("the shard is locked since it was found")
    }
}

impl<K: Ord, V> Deref for Ref<'_, K, V> {
    type Target = V;

    fn deref(&self) -> &V {
        self.value()
    }
}

impl<K: Ord, V> Place<'_, K, V> {
    pub(crate) fn key(&self) -> &K {
        &self.key
    }

    pub(crate) fn get(&self) -> &V {
        self.shard.get(&self.key).expect("the shard is locked since it was found")
    }

    pub(crate) fn value_mut(&mut self) -> &mut V {
        self.shard.get_mut(&self.key).expect("the shard is locked since it was found")
    }

    pub(crate) fn insert(mut self, value: V) {
        self.shard.insert(self.key, value);
    }
}
