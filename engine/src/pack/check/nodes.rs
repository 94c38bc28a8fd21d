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

    /// Whether all of that holds, found out in one pass; `false` also not where it would hold in a pass for each part of it.
    #[expect(clippy::needless_bitwise_bool, reason = "each lazy operator would be a branch that nobody can predict")]
    fn are_in_order(&self) -> bool {
        let nodes = self.nodes.len();
        let (mut is_sound, mut end) = (self.covers.len() == nodes, 0);
        for tree in self.trees {
            is_sound &= tree.root as usize == end;
            let mut index = end;
            end += 1;
            while index < end.min(nodes) {
                let node = self.nodes[index];
                is_sound &= node.is_leaf() | (self.asks_what_is_there(node) & (node.next as usize == end));
                end += if node.is_leaf() { 0 } else { 2 };
                index += 1;
            }
            if !is_sound {
                return false;
            }
        }
        // No node is beside the trees, and no child behind the nodes.
        is_sound && end == nodes
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
