//! CPython's `random.Random`: the Mersenne Twister MT19937 and `random.sample`.
//!
//! Generator: M. Matsumoto and T. Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998, with the
//! array initialisation of its 2002 revision. Sampling: the behaviour of CPython 3.

use std::collections::HashSet;

const STATE: usize = 624;
const SHIFT: usize = 397;

/// The generator behind Python's `random.seed(seed)`.
#[derive(Clone)]
pub struct Mersenne {
    state: [u32; STATE],
    next: usize,
}

impl Mersenne {
    /// Same stream as `random.seed(seed)` with a non-negative integer.
    pub fn new(seed: u64) -> Mersenne {
        let words = [seed as u32, (seed >> 32) as u32];
        // Python keys the array with as many 32-bit words as the integer has, at least one.
        let key = if words[1] == 0 { &words[..1] } else { &words };
        Mersenne::from_key(key)
    }

    fn from_key(key: &[u32]) -> Mersenne {
        let mut state = linear(19_650_218);
        let (mut i, mut j) = (1, 0);
        for _ in 0..STATE.max(key.len()) {
            state[i] = (state[i] ^ scramble(state[i - 1]).wrapping_mul(1_664_525))
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            i = advance(&mut state, i);
            j = (j + 1) % key.len();
        }
        for _ in 1..STATE {
            state[i] = (state[i] ^ scramble(state[i - 1]).wrapping_mul(1_566_083_941))
                .wrapping_sub(i as u32);
            i = advance(&mut state, i);
        }
        state[0] = 1 << 31;
        Mersenne { state, next: STATE }
    }

    /// The next 32 bits of the stream.
    pub fn next_u32(&mut self) -> u32 {
        if self.next == STATE {
            self.refill();
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// A number in [0, 1) with 53 random bits, as `random.random()` gives it.
    pub fn uniform(&mut self) -> f64 {
        let (high, low) = (self.next_u32() >> 5, self.next_u32() >> 6);
        (f64::from(high) * f64::from(1u32 << 26) + f64::from(low)) / (1u64 << 53) as f64
    }

    /// `k` distinct indices below `n` in the order of `random.sample(range(n), k)`.
    ///
    /// All `n` are returned, in random order, when `k` is larger.
    pub fn sample(&mut self, n: usize, k: usize) -> Vec<usize> {
        let k = k.min(n);
        if n <= pool_limit(k) {
            let mut pool: Vec<usize> = (0..n).collect();
            return (0..k)
                .map(|i| {
                    let j = self.below(n - i);
                    let picked = pool[j];
                    pool[j] = pool[n - i - 1];
                    picked
                })
                .collect();
        }
        let mut seen = HashSet::with_capacity(k);
        let mut chosen = Vec::with_capacity(k);
        while chosen.len() < k {
            let j = self.below(n);
            if seen.insert(j) {
                chosen.push(j);
            }
        }
        chosen
    }

    /// A uniform number below `n`, which is at least 1 and below 2^32.
    fn below(&mut self, n: usize) -> usize {
        let bits = usize::BITS - n.leading_zeros();
        loop {
            let drawn = (self.next_u32() >> (32 - bits)) as usize;
            if drawn < n {
                return drawn;
            }
        }
    }

    fn refill(&mut self) {
        for i in 0..STATE {
            let high = self.state[i] & 0x8000_0000;
            let low = self.state[(i + 1) % STATE] & 0x7fff_ffff;
            let y = high | low;
            let twist = if y & 1 == 0 { 0 } else { 0x9908_b0df };
            self.state[i] = self.state[(i + SHIFT) % STATE] ^ (y >> 1) ^ twist;
        }
        self.next = 0;
    }
}

/// The state of the generator seeded with a single word.
fn linear(seed: u32) -> [u32; STATE] {
    let mut state = [seed; STATE];
    for i in 1..STATE {
        state[i] = scramble(state[i - 1])
            .wrapping_mul(1_812_433_253)
            .wrapping_add(i as u32);
    }
    state
}

fn scramble(word: u32) -> u32 {
    word ^ (word >> 30)
}

/// The position after `i`; wrapping round skips position 0, which takes over the last word.
fn advance(state: &mut [u32; STATE], i: usize) -> usize {
    if i + 1 < STATE {
        return i + 1;
    }
    state[0] = state[STATE - 1];
    1
}

/// The largest population from which Python draws by shrinking a list rather than by rejection.
fn pool_limit(k: usize) -> usize {
    let mut limit = 21;
    if k > 5 {
        // Smallest power of four not below 3k.
        let mut power: usize = 1;
        while power < k.saturating_mul(3) {
            power = power.saturating_mul(4);
        }
        limit += power;
    }
    limit
}

#[cfg(test)]
mod tests {
    use super::Mersenne;

    #[test]
    fn golden_words_of_seed_one() {
        let mut random = Mersenne::new(1);
        let words: Vec<u32> = (0..4).map(|_| random.next_u32()).collect();
        assert_eq!(words, [577090037, 2444712010, 3639700191, 3445702192]);
    }

    #[test]
    fn golden_samples_of_seed_one_in_one_stream() {
        let mut random = Mersenne::new(1);
        let cases: [(usize, [usize; 16]); 5] = [
            (
                40,
                [8, 36, 4, 16, 7, 31, 28, 30, 24, 25, 6, 3, 15, 0, 12, 13],
            ),
            (
                20,
                [19, 0, 14, 8, 7, 9, 1, 5, 18, 11, 10, 16, 17, 3, 12, 13],
            ),
            (16, [13, 11, 0, 8, 3, 7, 10, 12, 14, 2, 1, 5, 9, 4, 15, 6]),
            (
                100,
                [
                    71, 82, 12, 23, 80, 92, 37, 15, 95, 42, 91, 64, 54, 85, 24, 38,
                ],
            ),
            (
                1300,
                [
                    581, 1203, 1022, 1034, 805, 1206, 70, 983, 497, 827, 848, 354, 751, 1123, 767,
                    177,
                ],
            ),
        ];
        for (n, expected) in cases {
            assert_eq!(random.sample(n, 16), expected, "range({n})");
        }
    }

    #[test]
    fn golden_samples_of_seeds_two_and_three() {
        let two = [3, 5, 38, 23, 10, 19, 16, 13, 2, 18, 21, 37, 32, 20, 12, 36];
        let three = [15, 37, 34, 8, 23, 30, 4, 0, 38, 36, 17, 7, 6, 22, 39, 29];
        assert_eq!(Mersenne::new(2).sample(40, 16), two);
        assert_eq!(Mersenne::new(3).sample(40, 16), three);
    }

    #[test]
    fn golden_samples_at_the_borders_between_both_ways_of_drawing() {
        let mut random = Mersenne::new(0);
        let cases: [(usize, &[usize]); 7] = [
            (50, &[24, 48, 26, 2]),
            (21, &[8, 16, 15, 12, 9]),
            (22, &[15, 11, 18, 6, 16]),
            (600, &[142, 288, 143, 97, 256]),
            (
                85,
                &[
                    68, 77, 18, 39, 12, 9, 42, 60, 71, 80, 45, 55, 40, 26, 70, 61, 56, 66, 33, 7, 1,
                ],
            ),
            (
                86,
                &[
                    11, 51, 85, 80, 0, 78, 63, 42, 31, 41, 8, 24, 72, 28, 30, 18, 69, 57, 10, 40,
                    65,
                ],
            ),
            (
                277,
                &[
                    250, 55, 154, 149, 63, 170, 104, 147, 227, 46, 197, 162, 123, 148, 94, 96, 95,
                    16, 133, 243, 35, 45,
                ],
            ),
        ];
        for (n, expected) in cases {
            assert_eq!(random.sample(n, expected.len()), expected, "range({n})");
        }
    }

    #[test]
    fn golden_uniform_numbers() {
        let mut random = Mersenne::new(1);
        let expected = [0.13436424411240122, 0.8474337369372327, 0.763774618976614];
        assert_eq!([(); 3].map(|()| random.uniform()), expected);
        assert_eq!(Mersenne::new((1 << 40) + 7).uniform(), 0.6137037779936511);
    }

    #[test]
    fn golden_sample_of_a_seed_beyond_32_bits() {
        let expected = [14, 32, 38, 26, 5, 17, 15, 39, 8, 22, 7, 12, 13, 36, 25, 6];
        assert_eq!(Mersenne::new((1 << 32) + 1).sample(40, 16), expected);
    }
}
