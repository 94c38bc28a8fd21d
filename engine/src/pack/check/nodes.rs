//! The nodes of a pack: what splits ask is there, and every walk ends.

use super::{Complaint, Forest, Node, Sections};

impl Sections<'_> {
    /// Every split asks a feature and a set that are there, and its children lie behind it; where there are covers, whoever uses
    /// them relies on the order of the nodes: tree behind tree, in each level behind level without gaps.
    pub(super) fn check_nodes(&self) -> Result<(), Complaint> {
        if self.are_in_order() {
            return Ok(());
        }
        self.check_each()?;
        self.check_covers()
    }

    /// Whether all of that holds, found out in few instructions a node; `false` also not where it would hold in a pass for each
    /// part of it.
    fn are_in_order(&self) -> bool {
        let nodes = self.nodes;
        let (mut is_sound, mut index) = (self.covers.len() == nodes.len() && self.all_ask_what_is_there(), 0);
        for tree in self.trees {
            is_sound &= tree.root as usize == index;
            // Where the level ends that is next, and all bits of the splits that lead elsewhere.
            let (mut end, mut elsewhere) = (index + 1, 0);
            while let Some(node) = nodes.get(index).filter(|_| index < end) {
                // Leaves and splits follow each other as they like: a mask takes no branch.
                let split = if node.is_leaf() { 0 } else { usize::MAX };
                elsewhere |= (node.next as usize ^ end) & split;
                end += split & 2;
                index += 1;
            }
            if !is_sound || elsewhere != 0 || index < end {
                return false;
            }
        }
        // No node is beside the trees.
        is_sound && index == nodes.len()
    }

    /// Whether every split asks a feature and a set that are there; `false` also where a leaf has a feature.
    fn all_ask_what_is_there(&self) -> bool {
        if !self.category_sets.is_empty() {
            return self.nodes.iter().fold(true, |all, node| all & (node.is_leaf() | self.asks_what_is_there(*node)));
        }
        // Whoever asks for a set asks for a feature beyond all. The difference, which has 31 bits, is negative where one does.
        let asked = Node::FEATURE | Node::CATEGORIES;
        let left = |node: &Node| self.forest.features.wrapping_sub(1).wrapping_sub(node.tag & asked);
        self.nodes.iter().fold(0, |all, node| all | left(node)).cast_signed() >= 0
    }

    fn check_each(&self) -> Result<(), Complaint> {
        // Leaves and splits follow each other as they like, so no branch is taken for each: a wrong one is looked for later.
        let is_sound = |(index, node): (u32, &Node)| self.is_sound(index, *node);
        if (0..).zip(self.nodes).fold(true, |sound, node| sound & is_sound(node)) {
            return Ok(());
        }
        let wrong = (0..).zip(self.nodes).find(|node| !is_sound(*node));
        let Some((wrong, node)) = wrong else { return Ok(()) };
        let Forest { features, .. } = *self.forest;
        let (nodes, sets) = (self.nodes.len(), self.category_sets.len());
        Err(if node.feature() >= features as usize {
            format!("node {wrong}: feature {} of {features}", node.feature())
        } else if node.is_category_split() && node.category_set() >= sets {
            format!("node {wrong}: category set {} of {sets}", node.category_set())
        } else {
            format!("node {wrong}: child {} of {nodes} nodes does not lie behind it", node.next)
        })
    }

    #[inline]
    fn is_sound(&self, index: u32, node: Node) -> bool {
        let (leads_on, ends) = (node.next > index, node.next as usize + 1 < self.nodes.len());
        node.is_leaf() | (self.asks_what_is_there(node) & leads_on & ends)
    }

    #[inline]
    #[expect(clippy::needless_bitwise_bool, reason = "each lazy operator would be a branch that nobody can predict")]
    fn asks_what_is_there(&self, node: Node) -> bool {
        let (is_numeric, has_set) = (!node.is_category_split(), node.category_set() < self.category_sets.len());
        (node.feature() < self.forest.features as usize) & (is_numeric | has_set)
    }

    fn check_covers(&self) -> Result<(), Complaint> {
        if self.covers.is_empty() {
            return Ok(());
        }
        if self.covers.len() != self.nodes.len() {
            return Err(format!("section covers: {} for {} nodes", self.covers.len(), self.nodes.len()));
        }
        let mut end = 0;
        for (index, tree) in self.trees.iter().enumerate() {
            if (tree.root as usize) < end {
                return Err(format!("tree {index}: root {} lies in the tree before", tree.root));
            }
            end = self.check_levels(tree.root as usize)?;
        }
        Ok(())
    }

    /// Where the tree ends that begins at `root`.
    fn check_levels(&self, root: usize) -> Result<usize, Complaint> {
        let (mut index, mut end, mut wrong) = (root, root + 1, usize::MAX);
        while index < end.min(self.nodes.len()) {
            let node = self.nodes[index];
            let (is_leaf, is_next) = (node.is_leaf(), node.next as usize == end);
            wrong = wrong.min(if is_leaf | is_next { usize::MAX } else { index });
            end += if is_leaf { 0 } else { 2 };
            index += 1;
        }
        let Some(node) = self.nodes.get(wrong) else { return Ok(end) };
        let splits = self.nodes[root..wrong].iter().filter(|node| !node.is_leaf()).count();
        Err(format!("node {wrong}: child {}, expected {}", node.next, root + 1 + 2 * splits))
    }
}
