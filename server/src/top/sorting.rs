//! What the models are sorted by, and which keys change that.

/// A column, and which end of it stands above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sorting {
    pub(super) column: Column,
    is_descending: bool,
}

/// What models can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    Memory,
    Age,
    Requests,
    Popularity,
    Worth,
    Idle,
    Leaving,
}

/// Each column with its key, what it is called here and by the server, and whether its greatest values come first.
const COLUMNS: [(Column, u8, &str, &str, bool); 8] = [
    (Column::Name, b'n', "name", "name", false),
    (Column::Memory, b'm', "memory", "bytes", true),
    (Column::Age, b'a', "age", "since", false),
    (Column::Requests, b'r', "requests", "requests", true),
    (Column::Popularity, b'p', "popularity", "popularity", true),
    (Column::Worth, b'w', "worth", "worth", true),
    (Column::Idle, b'i', "idle", "idle", true),
    (Column::Leaving, b'l', "leaving", "leaving", false),
];

impl Default for Sorting {
    fn default() -> Self {
        Self { column: Column::Popularity, is_descending: true }
    }
}

impl Sorting {
    /// What a key makes of it: its column, or the same one turned around. Nothing for a key without a column.
    pub(super) fn after(self, key: u8) -> Option<Self> {
        let (column, .., is_descending) = COLUMNS.into_iter().find(|(_, own, ..)| *own == key.to_ascii_lowercase())?;
        let is_descending = if self.column == column { !self.is_descending } else { is_descending };
        Some(Self { column, is_descending })
    }

    /// The question for so many models.
    pub(super) fn query(self, rows: usize) -> String {
        let name = COLUMNS.iter().find(|(column, ..)| *column == self.column).map_or("", |(.., name, _)| name);
        let order = if self.is_descending { "descending" } else { "ascending" };
        format!("sort={name}&order={order}&limit={rows}")
    }
}

/// What columns are called: each begins with its key.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    COLUMNS.into_iter().map(|(_, _, name, ..)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_sorts_and_turns_around() {
        let by_memory = Sorting::default().after(b'm').unwrap();
        assert_eq!(by_memory.query(9), "sort=bytes&order=descending&limit=9");
        assert_eq!(by_memory.after(b'M').unwrap().query(9), "sort=bytes&order=ascending&limit=9");
        assert_eq!(Sorting::default().after(b'l').unwrap().query(1), "sort=leaving&order=ascending&limit=1");
        assert_eq!(Sorting::default().after(b'x'), None);
        assert!(COLUMNS.iter().all(|(_, key, name, ..)| name.as_bytes()[0] == *key));
    }
}
