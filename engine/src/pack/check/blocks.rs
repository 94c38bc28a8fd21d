//! What must hold of the trees' second form, so that walks through blocks need not ask.

use bytemuck::cast;

use super::{Complaint, Sections};
use crate::pack::format::{Block, Column, Forest, Ruler, WordBlock, ruler_length};

impl Sections<'_> {
    /// Whether the trees have a second form.
    #[inline]
    pub(crate) fn has_blocks(&self) -> bool {
        !self.roots.is_empty()
    }

    /// Whether they have it in bytes, and not in words.
    #[inline]
    pub(crate) fn is_in_bytes(&self) -> bool {
        self.forest.rank_max == Block::RANK_MAX
    }

    /// Checks rulers, columns, blocks and roots: every key, block and leaf that a walk asks for is there, and it ends.
    pub(super) fn check_second_form(&self) -> Result<(), Complaint> {
        if !self.has_blocks() {
            return Ok(());
        }
        self.check_rulers()?;
        self.check_columns()?;
        if self.roots.len() != self.trees.len() {
            return Err(format!("section roots: {} for {} trees", self.roots.len(), self.trees.len()));
        }
        let (blocks, of_words, is_even) = (self.blocks, self.word_blocks, self.forest.block_levels > 0);
        if self.is_in_bytes() {
            has_some(blocks)?;
            self.check_splits()?;
            self.check_exits()?;
            if is_even {
                self.check_whole(&self.check_even(blocks.iter().map(|block| &block.exits[..]))?)?;
            }
            return Ok(());
        }
        has_some(of_words)?;
        self.check_splits_of_words()?;
        if is_even {
            return self.check_even(of_words.iter().map(|block| &block.0[WordBlock::EXITS..])).map(drop);
        }
        self.check_uneven_words()
    }

    fn check_rulers(&self) -> Result<(), Complaint> {
        let Forest { features, rank_max, .. } = *self.forest;
        if rank_max != Block::RANK_MAX && rank_max != WordBlock::RANK_MAX {
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
        if self.columns.is_empty() || self.columns.len() > WordBlock::COLUMNS_MAX {
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
        let end = self.columns.len();
        let is_bad = |block: &Block| {
            usize::from(block.columns[0]) >= end
                || (1..Block::SLOTS).any(|slot| block.column(slot) >= end)
                || block.ruled_out.iter().any(|exits| exits >> (Block::SLOTS - 1) != 0)
        };
        // Where a block of the greatest bytes of all is not bad, none is. As many bytes as this become one instruction.
        let mut greatest = [0; size_of::<Block>() / 2];
        for block in self.blocks {
            let [splits, _]: [[u8; size_of::<Block>() / 2]; 2] = cast(*block);
            for (greatest, byte) in greatest.iter_mut().zip(splits) {
                *greatest = byte.max(*greatest);
            }
        }
        let mut greatest: Block = cast([greatest, [0; size_of::<Block>() / 2]]);
        // It is none of a column.
        greatest.high[0] = 0;
        if !is_bad(&greatest) {
            return Ok(());
        }
        match self.blocks.iter().position(is_bad) {
            Some(index) => {
                Err(format!("block {index}: a split asks for none of {end} columns, or rules out all exits"))
            }
            None => Ok(()),
        }
    }

    fn check_splits_of_words(&self) -> Result<(), Complaint> {
        let end = u32::try_from(self.columns.len() * 8).unwrap_or(u32::MAX);
        let is_bad = |block: &WordBlock| {
            let splits = &block.0[1..WordBlock::EXITS];
            let greatest = splits.iter().fold(0, |greatest, split| (split & 0xffff).max(greatest));
            let low_bits = splits.iter().fold(0, |bits, split| bits | split & 7);
            greatest >= end || low_bits != 0
        };
        match self.word_blocks.iter().position(is_bad) {
            Some(index) => Err(format!("word block {index}: a split asks for none of {} columns", self.columns.len())),
            None => Ok(()),
        }
    }

    /// Exits lead on, to a later block or to a leaf.
    fn check_exits(&self) -> Result<(), Complaint> {
        let blocks = self.blocks.len();
        if let Some(tree) = self.roots.iter().position(|&root| root as usize >= blocks) {
            return Err(format!("root {tree}: block {} of {blocks}", self.roots[tree]));
        }
        for (index, block) in self.blocks.iter().enumerate().filter(|(_, block)| block.high[0] != u8::MAX) {
            let leads_on = |exit: usize| (index + 1..blocks).contains(&(block.exits[exit] as usize));
            if let Some(exit) = (0..Block::SLOTS).find(|&exit| !block.is_leaf(exit) && !leads_on(exit)) {
                return Err(format!("block {index}: exit {exit} leads to no later block of {blocks}, and to no leaf"));
            }
        }
        Ok(())
    }

    /// Exits of blocks of words lead on, to a later block or to a leaf value.
    fn check_uneven_words(&self) -> Result<(), Complaint> {
        let (blocks, leaves) = (self.word_blocks.len(), self.leaf_values.len());
        let leads_on = |exit: u32, first: usize| match exit & WordBlock::LEAF {
            0 => (first..blocks).contains(&(exit as usize)),
            _ => ((exit & !WordBlock::LEAF) as usize) < leaves,
        };
        if let Some(tree) = self.roots.iter().position(|&root| !leads_on(root, 0)) {
            return Err(format!("root {tree}: leads to {:x} of {blocks} word blocks", self.roots[tree]));
        }
        let is_bad = |(index, block): (usize, &WordBlock)| {
            block.0[WordBlock::EXITS..].iter().any(|&exit| !leads_on(exit, index + 1))
        };
        match self.word_blocks.iter().enumerate().position(is_bad) {
            Some(index) => {
                Err(format!("word block {index}: an exit leads to no later block of {blocks}, and to no leaf"))
            }
            None => Ok(()),
        }
    }

    /// Blocks have three whole levels, and lead to leaves in the last level alone.
    fn check_whole(&self, levels: &[u8]) -> Result<(), Complaint> {
        let last = self.forest.block_levels;
        let is_bad = |(block, level): (&Block, &u8)| {
            let leaves = if u32::from(*level) == last { u8::MAX } else { 0 };
            *level > 0 && (block.ruled_out != Block::WHOLE || block.high[0] != leaves)
        };
        match self.blocks.iter().zip(levels).position(is_bad) {
            Some(index) => Err(format!("block {index}: not of three whole levels, or leaves above others")),
            None => Ok(()),
        }
    }

    /// Exits of `blocks` lead on to a block of the next level, but in the last one. The level of each, counted from 1; 0 where
    /// nothing leads.
    fn check_even<'a>(&self, blocks: impl ExactSizeIterator<Item = &'a [u32]>) -> Result<Vec<u8>, Complaint> {
        let (count, last) = (blocks.len(), self.forest.block_levels);
        if last as usize > Block::LEVELS_MAX {
            return Err(format!("section forest: {last} levels of blocks"));
        }
        // A block's level is known before it is its turn, if anything leads there.
        let mut levels = vec![0_u8; count];
        // Zeros, as they stand in what is left of a file that was cut short, lead to the first.
        levels[0] = 1;
        for (tree, &root) in self.roots.iter().enumerate() {
            match levels.get_mut(root as usize) {
                Some(level) => *level = 1,
                None => return Err(format!("root {tree}: block {root} of {count}")),
            }
        }
        for (index, exits) in blocks.enumerate() {
            let level = levels[index];
            if level == 0 || u32::from(level) == last {
                continue;
            }
            for &exit in exits {
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
        Ok(levels)
    }
}

fn has_some<T>(blocks: &[T]) -> Result<(), Complaint> {
    if blocks.is_empty() { Err("section roots: there are no blocks".to_owned()) } else { Ok(()) }
}
