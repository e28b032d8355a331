//! Which traces have something in common.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use super::store::TraceId;

/// Traces by what they have in common. Mostly it is one, which takes no list.
pub(super) struct Index<K>(HashMap<K, Ids>);

enum Ids {
    One(TraceId),
    Many(Vec<TraceId>),
}

impl<K: Hash + Eq> Index<K> {
    pub(super) fn new() -> Self {
        Self(HashMap::new())
    }

    pub(super) fn insert(&mut self, key: K, id: TraceId) {
        self.0
            .entry(key)
            .and_modify(|ids| match ids {
                Ids::One(other) => *ids = Ids::Many(vec![*other, id]),
                Ids::Many(list) => list.push(id),
            })
            .or_insert(Ids::One(id));
    }

    /// Tells whether it was the last one under its key.
    pub(super) fn remove<Q>(&mut self, key: &Q, id: TraceId) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let is_empty = match self.0.get_mut(key) {
            None => false,
            Some(Ids::One(other)) => *other == id,
            Some(Ids::Many(list)) => {
                list.retain(|other| *other != id);
                list.is_empty()
            }
        };
        if is_empty {
            self.0.remove(key);
        }
        is_empty
    }

    pub(super) fn get<Q>(&self, key: &Q) -> &[TraceId]
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.get(key).map_or(&[], Ids::as_slice)
    }

    pub(super) fn contains<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.contains_key(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &[TraceId])> {
        self.0.iter().map(|(key, ids)| (key, ids.as_slice()))
    }
}

impl Ids {
    fn as_slice(&self) -> &[TraceId] {
        match self {
            Self::One(id) => std::slice::from_ref(id),
            Self::Many(list) => list,
        }
    }
}
