//! Numbers after Zipf's law: the k-th most wanted comes up in proportion to 1 / k^s.

use thicket_tests::Random;

/// Draws numbers from 0, the most wanted, upwards.
#[derive(Debug)]
pub struct Sampler {
    /// For each number, the share of draws that it and those before it get.
    shares: Vec<f64>,
    random: Random,
}

impl Sampler {
    /// A sampler of `count` numbers with exponent `s`; the same draws for the same seed.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 numbers")]
    pub fn new(count: usize, s: f64, seed: u64) -> Self {
        let mut total = 0.0;
        let mut shares = Vec::with_capacity(count);
        for rank in 1..=count {
            total += (rank as f64).powf(-s);
            shares.push(total);
        }
        for share in &mut shares {
            *share /= total;
        }
        Self { shares, random: Random::new(seed) }
    }

    /// The next number.
    pub fn draw(&mut self) -> usize {
        const STEPS: usize = 1 << 30;
        #[expect(clippy::cast_precision_loss, reason = "2^30 is exact")]
        let share = self.random.below(STEPS) as f64 / STEPS as f64;
        self.shares.partition_point(|&end| end <= share).min(self.shares.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_up_as_often_as_the_law_says() {
        const DRAWS: u32 = 200_000;
        for s in [0.0, 0.9, 1.1] {
            let mut sampler = Sampler::new(50, s, 3);
            let mut counts = [0u32; 50];
            (0..DRAWS).for_each(|_| counts[sampler.draw()] += 1);
            let total: f64 = (1..=50).map(|rank| f64::from(rank).powf(-s)).sum();
            for (rank, count) in (1..).zip(counts) {
                let expected = f64::from(DRAWS) * f64::from(rank).powf(-s) / total;
                let deviation = (f64::from(count) - expected).abs() / expected.sqrt();
                assert!(deviation < 5.0, "s {s}, rank {rank}: {count} draws, expected {expected}");
            }
        }
    }

    #[test]
    fn the_only_number_always_comes_up() {
        assert_eq!(Sampler::new(1, 1.0, 1).draw(), 0);
    }
}
