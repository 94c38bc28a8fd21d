//! What must hold before a pack is used: the check that makes the kernels' walks end inside the file.

mod blocks;
mod nodes;

use bytemuck::{Pod, cast_slice, try_from_bytes};

use super::format::{
    ALIGNMENT, Block, CategorySet, Column, Forest, Header, MAGIC, Node, Ruler, Section, Span, Tree, VERSION, WordBlock,
};
use crate::finish::Finish;

/// A complaint about a pack: what is wrong and where.
type Complaint = String;

/// The most features a node can name.
const FEATURES_MAX: u32 = Node::FEATURE;

/// Reads the header and the section table of `file`, and checks the checksum.
pub(super) fn spans(file: &[u8]) -> Result<[Span; Section::COUNT], Complaint> {
    let header: &Header = file
        .get(..size_of::<Header>())
        .and_then(|bytes| try_from_bytes(bytes).ok())
        .ok_or_else(|| format!("{} bytes are too few for a header", file.len()))?;
    if header.magic != MAGIC {
        return Err("offset 0: this is no pack".to_owned());
    }
    if header.version != VERSION {
        return Err(format!("offset 8: version {}, expected {VERSION}", header.version));
    }
    if header.file_bytes != file.len() as u64 {
        return Err(format!("offset 16: the file should have {} bytes and has {}", header.file_bytes, file.len()));
    }
    let body = &file[size_of::<Header>()..];
    let checksum = crc32fast::hash(body);
    if header.checksum != checksum {
        return Err(format!("offset 12: checksum {:08x}, computed {checksum:08x}", header.checksum));
    }
    table(body, file.len())
}

fn table(body: &[u8], file_bytes: usize) -> Result<[Span; Section::COUNT], Complaint> {
    let table = body
        .get(..Section::COUNT * size_of::<Span>())
        .ok_or_else(|| format!("{file_bytes} bytes are too few for a section table"))?;
    let spans: [Span; Section::COUNT] = cast_slice(table).try_into().expect("the table has one span for each section");
    for (span, name) in spans.iter().zip(Section::NAMES) {
        let end = span.offset.checked_add(span.bytes);
        if end.is_none_or(|end| end > file_bytes as u64) || !span.offset.is_multiple_of(ALIGNMENT as u64) {
            return Err(format!("section {name}: {} bytes at offset {} do not fit", span.bytes, span.offset));
        }
    }
    Ok(spans)
}

/// The sections of a pack, as the kernels use them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sections<'a> {
    pub(crate) forest: &'a Forest,
    pub(crate) base: &'a [f32],
    pub(crate) trees: &'a [Tree],
    pub(crate) nodes: &'a [Node],
    pub(crate) category_sets: &'a [CategorySet],
    pub(crate) category_bits: &'a [u32],
    properties: &'a [u8],
    pub(crate) weights: &'a [f32],
    pub(crate) covers: &'a [f32],
    pub(crate) rulers: &'a [Ruler],
    pub(crate) columns: &'a [Column],
    pub(crate) marks: &'a [i32],
    pub(crate) blocks: &'a [Block],
    pub(crate) word_blocks: &'a [WordBlock],
    pub(crate) roots: &'a [u32],
    pub(crate) leaf_values: &'a [f32],
}

impl<'a> Sections<'a> {
    /// Views the sections of `file` at `spans` as what they are.
    pub(super) fn view(file: &'a [u8], spans: &[Span; Section::COUNT]) -> Result<Self, Complaint> {
        Ok(Self {
            forest: match records(file, spans, Section::Forest)? {
                [forest] => forest,
                records => return Err(format!("section forest: expected one record, found {}", records.len())),
            },
            base: records(file, spans, Section::Base)?,
            trees: records(file, spans, Section::Trees)?,
            nodes: records(file, spans, Section::Nodes)?,
            category_sets: records(file, spans, Section::CategorySets)?,
            category_bits: records(file, spans, Section::CategoryBits)?,
            properties: records(file, spans, Section::Properties)?,
            weights: records(file, spans, Section::Weights)?,
            covers: records(file, spans, Section::Covers)?,
            rulers: records(file, spans, Section::Rulers)?,
            columns: records(file, spans, Section::Columns)?,
            marks: records(file, spans, Section::Marks)?,
            blocks: records(file, spans, Section::Blocks)?,
            word_blocks: records(file, spans, Section::WordBlocks)?,
            roots: records(file, spans, Section::Roots)?,
            leaf_values: records(file, spans, Section::LeafValues)?,
        })
    }

    /// What the model says of itself, as a JSON object.
    pub(crate) fn properties(&self) -> &'a str {
        str::from_utf8(self.properties).expect("they were text when the pack was checked")
    }

    /// The last step from margins to values.
    pub(crate) fn finish(&self) -> Finish {
        Finish::from_code(self.forest.link).expect("the code was known when the pack was checked")
    }

    /// Checks everything that those who use the sections rely on.
    pub(super) fn check(&self) -> Result<(), Complaint> {
        str::from_utf8(self.properties).map_err(|error| format!("section properties: {error}"))?;
        self.check_forest()?;
        self.check_trees()?;
        self.check_weights()?;
        self.check_category_sets()?;
        self.check_nodes()?;
        self.check_second_form()
    }

    fn check_forest(&self) -> Result<(), Complaint> {
        let Forest { features, targets, sum_order, link, .. } = *self.forest;
        if features > FEATURES_MAX {
            return Err(format!("section forest: {features} features, expected at most {FEATURES_MAX}"));
        }
        if targets == 0 || self.base.len() != targets as usize {
            return Err(format!("section base: {} margins for {targets} targets", self.base.len()));
        }
        if sum_order > 1 || Finish::from_code(link).is_none() {
            return Err(format!("section forest: sum order {sum_order}, or link {link} is unknown"));
        }
        Ok(())
    }

    fn check_trees(&self) -> Result<(), Complaint> {
        let nodes = self.nodes.len();
        for (index, tree) in self.trees.iter().enumerate() {
            if tree.root as usize >= nodes {
                return Err(format!("tree {index}: root {} of {nodes} nodes", tree.root));
            }
            if tree.target >= self.forest.targets {
                return Err(format!("tree {index}: target {} of {}", tree.target, self.forest.targets));
            }
        }
        Ok(())
    }

    fn check_weights(&self) -> Result<(), Complaint> {
        let (weights, trees) = (self.weights.len(), self.trees.len());
        if weights == 0 {
            return Ok(());
        }
        if trees > 0 {
            return Err(format!("section weights: {weights} weights beside {trees} trees"));
        }
        let Forest { features, targets, .. } = *self.forest;
        if weights as u64 != u64::from(features) * u64::from(targets) {
            return Err(format!("section weights: {weights} weights for {features} features and {targets} targets"));
        }
        Ok(())
    }

    fn check_category_sets(&self) -> Result<(), Complaint> {
        for (index, set) in self.category_sets.iter().enumerate() {
            if u64::from(set.first_word) + u64::from(set.words) > self.category_bits.len() as u64 {
                return Err(format!("category set {index}: its words end behind the section"));
            }
        }
        Ok(())
    }
}

fn records<'a, T: Pod>(file: &'a [u8], spans: &[Span; Section::COUNT], section: Section) -> Result<&'a [T], Complaint> {
    let Span { offset, bytes } = spans[section as usize];
    let too_large = |_| format!("section {}: too large for this machine", Section::NAMES[section as usize]);
    let (start, length) = (usize::try_from(offset).map_err(too_large)?, usize::try_from(bytes).map_err(too_large)?);
    bytemuck::try_cast_slice(&file[start..start + length])
        .map_err(|error| format!("section {}: {length} bytes: {error}", Section::NAMES[section as usize]))
}
