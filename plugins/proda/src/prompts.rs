//! Prompts with the class name in front of their context, in its middle, or behind it.

use harness_sdk::{Host, Prompts, Result, Tensor, ops};

/// Where the class name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Front,
    Middle,
    End,
}

impl Position {
    const ALL: [Self; 3] = [Self::Front, Self::Middle, Self::End];

    /// Of a prompt among `count`.
    fn of(prompt: u32, count: usize) -> Self {
        match prompt as usize / (count / 4).max(1) {
            0 => Self::Front,
            1 => Self::Middle,
            _ => Self::End,
        }
    }
}

/// What the host tokenised.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    start: u32,
    /// Ids of each class name.
    names: Vec<Vec<u32>>,
    /// Ids of the period and the end.
    end: Vec<u32>,
}

impl Words {
    pub(crate) fn new(host: &Host) -> Result<Self> {
        let names = host.tokenize(&host.class_names())?;
        let mut end = host.tokenize(&["."])?.rows.swap_remove(0);
        end.push(names.end_of_text);
        Ok(Self {
            start: names.start_of_text,
            names: names.rows,
            end,
        })
    }

    /// Normalised features `[P, C, E]` of the prompts `chosen` among `contexts` `[K, M, D]`,
    /// ordered by the position of the class name.
    pub(crate) fn encode(&self, host: &Host, contexts: &Tensor, chosen: &[u32]) -> Result<Tensor> {
        let (count, length, _) = contexts.dims3()?;
        let mut features = vec![];
        for position in Position::ALL {
            let of: Vec<u32> = chosen
                .iter()
                .copied()
                .filter(|prompt| Position::of(*prompt, count) == position)
                .collect();
            if of.is_empty() {
                continue;
            }
            let groups = of.len();
            let rows = Tensor::new(of, contexts.device())?;
            // [P, 1, M, D]: one for all classes.
            let context = contexts.index_select(&rows, 0)?.unsqueeze(1)?;
            let prompts = Prompts::grouped(groups, self.names.len()).tokens(&[self.start]);
            let prompts = match position {
                Position::Front => prompts.class_tokens(&self.names).context(&context)?,
                Position::Middle => {
                    let half = length / 2;
                    let (first, second) = (
                        context.narrow(2, 0, half)?,
                        context.narrow(2, half, length - half)?,
                    );
                    match half {
                        // One vector has no middle.
                        0 => prompts.class_tokens(&self.names).context(&second)?,
                        _ => prompts
                            .context(&first)?
                            .class_tokens(&self.names)
                            .context(&second)?,
                    }
                }
                Position::End => prompts.context(&context)?.class_tokens(&self.names),
            };
            features.push(prompts.tokens(&self.end).encode(host)?);
        }
        ops::normalize(&Tensor::cat(&features, 0)?)
    }

    /// Normalised features `[K, E]` of the contexts `[K, M, D]` without a class name.
    pub(crate) fn encode_alone(&self, host: &Host, contexts: &Tensor) -> Result<Tensor> {
        let prompts = Prompts::grouped(contexts.dim(0)?, 1)
            .tokens(&[self.start])
            .context(&contexts.unsqueeze(1)?)?
            .tokens(&self.end);
        ops::normalize(&prompts.encode(host)?.squeeze(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_the_names_is_in_front_and_one_in_the_middle() {
        let positions = |count: usize| -> Vec<Position> {
            let prompts = 0..u32::try_from(count).unwrap();
            prompts.map(|prompt| Position::of(prompt, count)).collect()
        };
        use Position::{End, Front, Middle};
        assert_eq!(positions(4), [Front, Middle, End, End]);
        assert_eq!(positions(2), [Front, Middle]);
        let many = positions(32);
        assert_eq!(many.iter().filter(|one| **one == Front).count(), 8);
        assert_eq!(many.iter().filter(|one| **one == Middle).count(), 8);
    }
}
