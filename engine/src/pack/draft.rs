//! A pack in the making: the records as vectors, and the bytes they become.

mod blocks;
mod columns;
mod pieces;
mod words;

use bytemuck::{bytes_of, cast_slice};

use super::format::{
    ALIGNMENT, Block, CategorySet, Column, Forest, Header, MAGIC, Node, Ruler, Section, Span, Tree, VERSION, WordBlock,
};

/// Everything a pack holds. The writer takes it as it is; a pack is checked when it is opened.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) forest: Forest,
    pub(crate) base: Vec<f32>,
    pub(crate) trees: Vec<Tree>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) category_sets: Vec<CategorySet>,
    pub(crate) category_bits: Vec<u32>,
    /// JSON object.
    pub(crate) properties: String,
    pub(crate) weights: Vec<f32>,
    /// One for each node, or nothing.
    pub(crate) covers: Vec<f32>,
    /// Made of the trees by [`Draft::with_second_form`].
    pub(crate) second_form: SecondForm,
}

/// The trees as the fast kernels walk them, or nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct SecondForm {
    pub(crate) rulers: Vec<Ruler>,
    pub(crate) columns: Vec<Column>,
    pub(crate) marks: Vec<i32>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) word_blocks: Vec<WordBlock>,
    pub(crate) roots: Vec<u32>,
    pub(crate) leaf_values: Vec<f32>,
}

impl Draft {
    /// Adds the second form of the trees, where they have one: not without splits, nor with
    /// more columns than blocks can name.
    ///
    /// The trees are sound: every child and every set is there, and children lie behind their only parent.
    pub(crate) fn with_second_form(mut self) -> Self {
        let is_countable = self.nodes.len() < WordBlock::LEAF as usize;
        if let Some(columns) = columns::Columns::of(&self).filter(|_| is_countable) {
            blocks::lay(&mut self, columns);
        }
        self
    }

    /// The bytes of the pack file.
    pub(crate) fn write(&self) -> Vec<u8> {
        let sections = self.sections();
        let table_end = size_of::<Header>() + Section::COUNT * size_of::<Span>();
        let aligned = sections.map(|section| section.len().next_multiple_of(ALIGNMENT));
        let mut file = Vec::with_capacity(table_end.next_multiple_of(ALIGNMENT) + aligned.iter().sum::<usize>());
        file.resize(table_end, 0);
        let mut spans = Vec::with_capacity(Section::COUNT);
        for section in sections {
            file.resize(file.len().next_multiple_of(ALIGNMENT), 0);
            spans.push(Span { offset: file.len() as u64, bytes: section.len() as u64 });
            file.extend_from_slice(section);
        }
        file[size_of::<Header>()..table_end].copy_from_slice(cast_slice(&spans));
        let header = Header {
            magic: MAGIC,
            version: VERSION,
            checksum: crc32fast::hash(&file[size_of::<Header>()..]),
            file_bytes: file.len() as u64,
            reserved: [0; 5],
        };
        file[..size_of::<Header>()].copy_from_slice(bytes_of(&header));
        file
    }

    fn sections(&self) -> [&[u8]; Section::COUNT] {
        let second = &self.second_form;
        [
            bytes_of(&self.forest),
            cast_slice(&self.base),
            cast_slice(&self.trees),
            cast_slice(&self.nodes),
            cast_slice(&self.category_sets),
            cast_slice(&self.category_bits),
            self.properties.as_bytes(),
            cast_slice(&self.weights),
            cast_slice(&self.covers),
            cast_slice(&second.rulers),
            cast_slice(&second.columns),
            cast_slice(&second.marks),
            cast_slice(&second.blocks),
            cast_slice(&second.word_blocks),
            cast_slice(&second.roots),
            cast_slice(&second.leaf_values),
        ]
    }
}

/// An index or a number of levels, of which there are fewer than nodes.
fn index(number: usize) -> u32 {
    u32::try_from(number).expect("a draft with a second form has fewer than 2^31 nodes")
}
