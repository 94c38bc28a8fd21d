//! What each column adds to a margin: Tree SHAP on a pack, in time linear in its nodes; products for a linear model.
//!
//! Shapley values of a leaf are integrals of a product of one linear factor a column over how likely the others are known,
//! `u` in 0 to 1: a column that is known with `u` lets the row through with `u × known + (1 - u) × share of its training
//! rows`. A rule of few points integrates such polynomials exactly. So for each point one pass down a tree multiplies the
//! factors and one pass up sums the leaves below each edge: all numbers are sums of products, and nothing cancels out as
//! it does when polynomials are divided (Yu et al. 2022, "Linear `TreeShap`", for the passes; the plain definition stands in
//! the converters' arithmetic).

mod quadrature;

use ndarray::ArrayView2;

use crate::{
    error::{Error, ErrorKind, Result},
    kernel::{goes_left, margins},
    pack::{
        Sections,
        format::{Node, Tree},
    },
};
use quadrature::{LANES, Lanes, Points, rule};

/// The most levels a tree may have: beyond, a rule of [`GROUPS_MAX`] groups would no longer be exact to rounding.
const LEVELS_MAX: usize = 512;
/// The most groups of points. 64 points are exact up to 128 different columns on one path, and to rounding up to 512.
const GROUPS_MAX: usize = 16;
/// A rule of one group is exact for this many different columns on one path.
const COLUMNS_OF_A_GROUP: usize = 2 * LANES;

/// The sums that are kept at a time, for as many rows as that makes.
const SUMS_MAX: usize = 1 << 16;

/// Explains rows with one pack; its buffers are as large as the largest tree and are used again.
pub(crate) struct Contributions<'a> {
    forest: Sections<'a>,
    points: Vec<Points>,
    edges: Vec<Edge>,
    states: Vec<State>,
    /// What the present tree answers when nothing is known.
    expected: f64,
    sums: Vec<f64>,
    margins: Vec<f32>,
}

/// The way into a node of the present tree, whatever the row. The root's leads from nowhere.
#[derive(Clone, Copy, Debug)]
struct Edge {
    parent: usize,
    /// The nearest way above that asks the same column, the root's where none does.
    previous: usize,
    column: usize,
    /// Which share of the training rows at the parent went this way.
    share: f64,
    /// The product of the shares of this and all previous ways.
    column_share: f64,
    /// The product of the shares of all ways from the root.
    reach: f64,
}

/// What holds at one node for one row and some points.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// Down: the product of the factors of all columns. Up: the sum of such products over the leaves, times their values.
    product: Lanes,
    /// One over the factor of this way's column.
    inverse: Lanes,
    /// What knowing this way's column changes, relative to its factor.
    pull: Lanes,
    /// Whether the row goes this way, and went all previous ways.
    is_taken: bool,
}

impl<'a> Contributions<'a> {
    /// # Errors
    /// [`ErrorKind::Unsupported`] for a pack without covers, or with a tree of too many levels.
    pub(crate) fn new(forest: Sections<'a>) -> Result<Self> {
        let unsupported = |message: String| Error::new(ErrorKind::Unsupported, message);
        if forest.covers.is_empty() && !forest.trees.is_empty() {
            let message = "the model has no contributions: it does not say how many training rows reached each node";
            return Err(unsupported(message.to_owned()));
        }
        if let Some(tree) = unshared(&forest) {
            let message = "the model has no contributions: as it says, no training rows reached a split of tree";
            return Err(unsupported(format!("{message} {tree}")));
        }
        let levels = forest.trees.iter().map(|tree| levels(forest.nodes, *tree)).max().unwrap_or(0);
        if levels > LEVELS_MAX {
            let message =
                format!("the model's contributions are not computed: a tree has more than {LEVELS_MAX} levels");
            return Err(unsupported(message));
        }
        let points = rule(levels.div_ceil(COLUMNS_OF_A_GROUP).clamp(1, GROUPS_MAX));
        Ok(Self {
            forest,
            points,
            edges: Vec::new(),
            states: Vec::new(),
            expected: 0.0,
            sums: Vec::new(),
            margins: Vec::new(),
        })
    }

    /// Appends `(features + 1) × targets` numbers for each of `rows`, which are as wide as the forest.
    pub(crate) fn append(&mut self, rows: ArrayView2<'_, f32>, out: &mut Vec<f32>) {
        let width = self.forest.forest.features as usize + 1;
        let rows_at_once = (SUMS_MAX / (width * self.forest.base.len())).max(1);
        for rows in rows.axis_chunks_iter(ndarray::Axis(0), rows_at_once) {
            let rows = rows.as_standard_layout();
            let rows: Vec<&[f32]> = rows.rows().into_iter().filter_map(|row| row.to_slice()).collect();
            self.explain(&rows, width);
            #[expect(clippy::cast_possible_truncation, reason = "the answer has the precision of a margin")]
            out.extend(self.sums.iter().map(|&sum| sum as f32));
        }
    }

    /// Fills the sums of a few rows, tree after tree.
    fn explain(&mut self, rows: &[&[f32]], width: usize) {
        let mut sums = std::mem::take(&mut self.sums);
        let columns = width * self.forest.base.len();
        sums.clear();
        sums.resize(rows.len() * columns, 0.0);
        for (base, sums) in self.forest.base.iter().cycle().zip(sums.chunks_exact_mut(width)) {
            sums[width - 1] = f64::from(*base);
        }
        for (row, sums) in rows.iter().zip(sums.chunks_exact_mut(columns)) {
            add_products(&self.forest, row, sums);
        }
        for tree in self.forest.trees {
            self.enter(*tree);
            for (row, sums) in rows.iter().zip(sums.chunks_exact_mut(columns)) {
                self.add(*tree, row, &mut sums[tree.target as usize * width..][..width]);
            }
        }
        for (row, sums) in rows.iter().zip(sums.chunks_exact_mut(columns)).filter(|_| self.forest.weights.is_empty()) {
            self.settle(row, sums, width);
        }
        self.sums = sums;
    }

    /// Counts with the bias what rounding did to the margins, which are sums in `f32`: so the contributions add up to them.
    /// Not for a linear model, whose products may be of any size: its bias is its own.
    fn settle(&mut self, row: &[f32], sums: &mut [f64], width: usize) {
        self.margins.resize(self.forest.base.len(), 0.0);
        margins(&self.forest, row, &mut self.margins);
        for (margin, sums) in self.margins.iter().zip(sums.chunks_exact_mut(width)) {
            let rounding = f64::from(*margin) - sums.iter().sum::<f64>();
            sums[width - 1] += rounding;
        }
    }

    /// Makes `tree` the present one. Its nodes lie level by level without gaps, so ways are found in the nodes' order.
    fn enter(&mut self, tree: Tree) {
        let (nodes, covers) = (&self.forest.nodes[tree.root as usize..], &self.forest.covers[tree.root as usize..]);
        self.expected = 0.0;
        self.edges.clear();
        self.edges.push(Edge { parent: 0, previous: 0, column: usize::MAX, share: 1.0, column_share: 1.0, reach: 1.0 });
        let mut at = 0;
        while at < self.edges.len() {
            if nodes[at].is_leaf() {
                self.expected += self.edges[at].reach * f64::from(nodes[at].value);
            } else {
                let column = nodes[at].feature();
                let previous = self.previous(at, column);
                for child in [self.edges.len(), self.edges.len() + 1] {
                    let share = f64::from(covers[child]) / f64::from(covers[at]);
                    let column_share = self.edges[previous].column_share * share;
                    let reach = self.edges[at].reach * share;
                    self.edges.push(Edge { parent: at, previous, column, share, column_share, reach });
                }
            }
            at += 1;
        }
        self.states.clear();
        self.states.resize(self.edges.len(), State::default());
    }

    /// The nearest way to `at` or above that asks `column`, the root's where none does.
    fn previous(&self, at: usize, column: usize) -> usize {
        let mut edge = at;
        while edge != 0 && self.edges[edge].column != column {
            edge = self.edges[edge].parent;
        }
        edge
    }

    /// Adds what the present tree says of `row`.
    fn add(&mut self, tree: Tree, row: &[f32], sums: &mut [f64]) {
        for group in 0..self.points.len() {
            let points = self.points[group];
            self.descend(tree, row, &points);
            self.ascend(&points, sums);
        }
        if let Some(bias) = sums.last_mut() {
            *bias += self.expected;
        }
    }

    /// From the root to the leaves: the product of factors, at leaves times the value; inner nodes are left at 0.
    fn descend(&mut self, tree: Tree, row: &[f32], points: &Points) {
        let nodes = self.forest.nodes[tree.root as usize..].iter().take(self.states.len());
        self.states[0] = State { product: [1.0; LANES], inverse: [1.0; LANES], pull: [0.0; LANES], is_taken: true };
        for (at, &node) in nodes.enumerate() {
            if node.is_leaf() {
                let value = f64::from(node.value);
                self.states[at].product.iter_mut().for_each(|product| *product *= value);
                continue;
            }
            let product = std::mem::take(&mut self.states[at].product);
            let left = child(node, tree);
            let is_left = goes_left(&self.forest, node, row[node.feature()]);
            self.states[left] = self.pass(left, &product, is_left, points);
            self.states[left + 1] = self.pass(left + 1, &product, !is_left, points);
        }
    }

    /// The state at the end of the way `edge` below a node with `product`.
    fn pass(&self, edge: usize, product: &Lanes, is_taken: bool, points: &Points) -> State {
        let Edge { previous, share, column_share, .. } = self.edges[edge];
        let before = &self.states[previous];
        let mut state = State { is_taken: is_taken && before.is_taken, product: *product, ..State::default() };
        for (lane, product) in state.product.iter_mut().enumerate() {
            let (at, rest) = (points.at[lane], points.rest[lane]);
            let factor = if state.is_taken { at + column_share * rest } else { column_share * rest };
            let change = if before.is_taken { factor * before.inverse[lane] } else { share };
            *product *= change;
            state.inverse[lane] = 1.0 / factor;
            state.pull[lane] = if state.is_taken { (1.0 - column_share) / factor } else { -1.0 / rest };
        }
        state
    }

    /// From the leaves to the root: what lies below each way counts for its column, and no longer for a previous way's.
    fn ascend(&mut self, points: &Points, sums: &mut [f64]) {
        for at in (1..self.states.len()).rev() {
            let Edge { parent, previous, column, .. } = self.edges[at];
            let (product, pull, former) = (self.states[at].product, self.states[at].pull, self.states[previous].pull);
            let above = &mut self.states[parent].product;
            for lane in 0..LANES {
                above[lane] += product[lane];
                sums[column] += points.weight[lane] * product[lane] * (pull[lane] - former[lane]);
            }
        }
    }
}

/// Adds what each column of a linear model contributes: its value times its weight, or nothing when it is missing.
fn add_products(forest: &Sections<'_>, row: &[f32], sums: &mut [f64]) {
    let targets = forest.base.len();
    for ((column, value), weights) in row.iter().enumerate().zip(forest.weights.chunks_exact(targets)) {
        for (weight, sums) in weights.iter().zip(sums.chunks_exact_mut(row.len() + 1)).filter(|_| !value.is_nan()) {
            sums[column] += f64::from(*value) * f64::from(*weight);
        }
    }
}

/// The first tree with a split whose rows' shares are no numbers, as no row reached it. XGBoost answers NaN there or fails.
fn unshared(forest: &Sections<'_>) -> Option<usize> {
    let splits = forest.nodes.iter().zip(forest.covers).enumerate().filter(|(_, (node, _))| !node.is_leaf());
    let is_shared = |node: &Node, cover: f32| {
        forest.covers[node.next as usize..][..2].iter().all(|child| (child / cover).is_finite())
    };
    let (at, _) = splits.into_iter().find(|(_, (node, cover))| !is_shared(node, **cover))?;
    Some(forest.trees.partition_point(|tree| tree.root as usize <= at) - 1)
}

/// Where the left child of a split lies in its tree.
fn child(node: Node, tree: Tree) -> usize {
    (node.next - tree.root) as usize
}

/// How many levels of splits a tree has; it is laid out level by level.
fn levels(nodes: &[Node], tree: Tree) -> usize {
    let (mut start, mut end, mut levels) = (tree.root as usize, tree.root as usize + 1, 0);
    loop {
        let splits = nodes[start..end].iter().filter(|node| !node.is_leaf()).count();
        if splits == 0 {
            return levels;
        }
        (start, end, levels) = (end, end + 2 * splits, levels + 1);
    }
}
