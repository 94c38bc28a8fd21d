//! The second form of trees: which kind of blocks they are laid out in.

use super::{Block, Draft, SecondForm, WordBlock, columns::Columns, index, pieces, words};

/// Gives `draft` the second form of its trees.
pub(super) fn lay(draft: &mut Draft, columns: Columns) {
    let Columns { rulers, columns, marks, rank_max, words } = columns;
    let mut second_form = SecondForm { rulers, columns, marks, ..SecondForm::default() };
    draft.forest.rank_max = rank_max;
    let even = words::lay_even(draft, &words);
    draft.forest.block_levels = even.as_ref().map_or(0, |(_, levels)| index(*levels));
    match even {
        Some((laid, levels)) if rank_max == Block::RANK_MAX => {
            second_form.blocks = in_bytes(&laid.blocks, levels);
            second_form.roots = laid.roots;
        }
        None if rank_max == Block::RANK_MAX => (second_form.blocks, second_form.roots) = pieces::lay(draft, &words),
        even => {
            let laid = even.map_or_else(|| words::lay_uneven(draft, &words), |(laid, _)| laid);
            second_form.word_blocks = laid.blocks;
            (second_form.roots, second_form.leaf_values) = (laid.roots, laid.leaf_values);
        }
    }
    draft.second_form = second_form;
}

/// Blocks of trees whose ways lead through so many levels of them, with ranks that are bytes.
fn in_bytes(blocks: &[WordBlock], levels: usize) -> Vec<Block> {
    // A block's level is known before it is its turn.
    let mut level = vec![1; blocks.len()];
    for (at, block) in blocks.iter().enumerate() {
        let below = level[at] + 1;
        if below <= levels {
            block.0[WordBlock::EXITS..].iter().for_each(|exit| level[*exit as usize] = below);
        }
    }
    blocks.iter().zip(level).map(|(block, level)| Block::whole(block, level == levels)).collect()
}

impl Block {
    /// The block of three whole levels that `block` is in words.
    fn whole(block: &WordBlock, leads_to_leaves: bool) -> Self {
        let mut whole = Self { columns: [0; 8], ranks: [0; 8], ruled_out: Self::WHOLE, high: [0; 8], exits: [0; 8] };
        for slot in 1..Self::SLOTS {
            whole.set_split(slot, if block.0[slot] == WordBlock::NO_SPLIT { 0 } else { block.0[slot] });
        }
        whole.exits.copy_from_slice(&block.0[WordBlock::EXITS..]);
        whole.high[0] = if leads_to_leaves { u8::MAX } else { 0 };
        whole
    }

    /// Puts the split into a slot that is this word.
    pub(super) fn set_split(&mut self, slot: usize, word: u32) {
        let [low, high, ..] = ((word & 0xffff) / 8).to_le_bytes();
        (self.columns[slot], self.high[slot]) = (low, high);
        [_, _, self.ranks[slot], _] = word.to_le_bytes();
    }
}
