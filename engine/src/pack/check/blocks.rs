//! What must hold of the trees' second form, so that walks through blocks need not ask.

use super::{Complaint, Sections};
use crate::pack::format::{Block, Column, Forest, Ruler, ruler_length};

impl Sections<'_> {
    /// Whether the trees have a second form.
    #[inline]
    pub(crate) fn has_blocks(&self) -> bool {
        !self.blocks.is_empty()
    }

    /// Checks rulers, columns, blocks and roots: every key, block and leaf that a walk asks for is there, and it ends.
    pub(super) fn check_second_form(&self) -> Result<(), Complaint> {
        if !self.has_blocks() {
            return Ok(());
        }
        self.check_rulers()?;
        self.check_columns()?;
        self.check_splits()?;
        if self.roots.len() != self.trees.len() {
            return Err(format!("section roots: {} for {} trees", self.roots.len(), self.trees.len()));
        }
        if self.forest.block_levels == 0 { self.check_uneven() } else { self.check_even() }
    }

    fn check_rulers(&self) -> Result<(), Complaint> {
        let Forest { features, rank_max, .. } = *self.forest;
        if rank_max != Block::BYTE_RANK_MAX && rank_max != Block::RANK_MAX {
            return Err(format!("section forest: greatest rank {rank_max} is unknown"));
        }
        let mut columns = 0;
        for (index, ruler) in self.rulers.iter().enumerate() {
            let end = ruler.first_mark as usize + ruler_length(ruler.marks as usize);
            let is_aligned = ruler.first_mark.is_multiple_of(16);
            if ruler.feature >= features || ruler.marks == 0 || end > self.marks.len() || !is_aligned {
                let Ruler { feature, first_mark, .. } = ruler;
                return Err(format!("ruler {index}: feature {feature}, marks from {first_mark} to {end}"));
            }
            columns += ruler.columns as usize;
            let own = self.columns.get(columns - ruler.columns as usize..columns);
            if own.is_none_or(|own| own.iter().any(|column| column.feature != ruler.feature)) {
                return Err(format!("ruler {index}: its columns are missing or of another feature"));
            }
        }
        Ok(())
    }

    fn check_columns(&self) -> Result<(), Complaint> {
        let of_rulers: usize = self.rulers.iter().map(|ruler| ruler.columns as usize).sum();
        if self.columns.is_empty() || self.columns.len() > Block::COLUMNS_MAX {
            return Err(format!("section columns: {} columns", self.columns.len()));
        }
        for (index, column) in self.columns.iter().enumerate() {
            let has_set = index < of_rulers || (column.from as usize) < self.category_sets.len();
            if column.feature >= self.forest.features || column.flags > Column::MISSING_LEFT || !has_set {
                return Err(format!("column {index}: feature {}, set {}", column.feature, column.from));
            }
        }
        Ok(())
    }

    fn check_splits(&self) -> Result<(), Complaint> {
        let end = u32::try_from(self.columns.len() * 8).unwrap_or(u32::MAX);
        // One number that is the greatest of a block's, and one that has the low bits of all: no branch for each.
        let is_bad = |block: &Block| {
            let splits = &block.0[1..Block::EXITS];
            let greatest = splits.iter().fold(0, |greatest, split| (split & 0xffff).max(greatest));
            let low_bits = splits.iter().fold(0, |bits, split| bits | split & 7);
            greatest >= end || low_bits != 0
        };
        match self.blocks.iter().position(is_bad) {
            Some(index) => Err(format!("block {index}: a split asks for none of {} columns", self.columns.len())),
            None => Ok(()),
        }
    }

    /// Exits lead on, to a later block or to a leaf value.
    fn check_uneven(&self) -> Result<(), Complaint> {
        let (blocks, leaves) = (self.blocks.len(), self.leaf_values.len());
        let leads_on = |exit: u32, first: usize| match exit & Block::LEAF {
            0 => (first..blocks).contains(&(exit as usize)),
            _ => ((exit & !Block::LEAF) as usize) < leaves,
        };
        if let Some(tree) = self.roots.iter().position(|&root| !leads_on(root, 0)) {
            return Err(format!("root {tree}: leads to {:x} of {blocks} blocks", self.roots[tree]));
        }
        let is_bad =
            |(index, block): (usize, &Block)| block.0[Block::EXITS..].iter().any(|&exit| !leads_on(exit, index + 1));
        match self.blocks.iter().enumerate().position(is_bad) {
            Some(index) => Err(format!("block {index}: an exit leads to no later block of {blocks}, and to no leaf")),
            None => Ok(()),
        }
    }

    /// Exits lead on to a block of the next level, but in the last one.
    fn check_even(&self) -> Result<(), Complaint> {
        let (blocks, last) = (self.blocks.len(), self.forest.block_levels);
        if last as usize > Block::LEVELS_MAX {
            return Err(format!("section forest: {last} levels of blocks"));
        }
        // A block's level is known before it is its turn, if anything leads there; counted from 1.
        let mut levels = vec![0_u8; blocks];
        // Zeros, as they stand in what is left of a file that was cut short, lead to the first.
        levels[0] = 1;
        for (tree, &root) in self.roots.iter().enumerate() {
            match levels.get_mut(root as usize) {
                Some(level) => *level = 1,
                None => return Err(format!("root {tree}: block {root} of {blocks}")),
            }
        }
        for (index, block) in self.blocks.iter().enumerate() {
            let level = levels[index];
            if level == 0 || u32::from(level) == last {
                continue;
            }
            for &exit in &block.0[Block::EXITS..] {
                let known = levels.get_mut(exit as usize).filter(|known| **known == 0 || **known == level + 1);
                match known {
                    Some(known) if exit as usize > index => *known = level + 1,
                    _ => {
                        return Err(format!(
                            "block {index}: an exit leads to {exit}, no later block of the next level"
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}
