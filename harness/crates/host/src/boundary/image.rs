//! Image requests of the boundary: rows of a split through the edited image tower.

use std::{
    ops::Range,
    sync::{Arc, mpsc::sync_channel},
    thread,
};

use candle_core::Tensor;
use harness_abi::{
    AbiError,
    wire::{Edit, ImageRequest, Tower},
};
use harness_backbone::{Backbone, Dropout, ImageEdit, WeightEdit};

use super::{
    TaskData,
    request::{Inputs, elsewhere, refused},
    tape::Tape,
    task::internal,
};

/// Images that go through the tower at once, so that the memory of their pixels stays bounded; the
/// tower itself bounds that of its activations. A constant, so that results do not depend on the
/// machine.
const CHUNK: usize = 64;

/// One encoding of some rows; what is needed to run any part of it again.
pub(super) struct ImagePass {
    pub(super) backbone: Arc<Backbone>,
    pub(super) task: TaskData,
    pub(super) request: ImageRequest,
    pub(super) inputs: Inputs,
}

impl ImagePass {
    /// Features `[B, E]`, and the tape if the request asks for one.
    ///
    /// Of one chunk of rows the tape keeps what the tower keeps; of several it keeps none and runs
    /// each again when gradients are asked for.
    pub(super) fn run(self) -> Result<(Tensor, Option<Tape>), AbiError> {
        let rows = self.request.rows.len();
        if self.request.tape && rows <= CHUNK {
            let output = self.encode(0..rows, &self.pixels(&(0..rows))?)?;
            let tape = Tape::held(self.inputs.into_vars(), output.clone());
            return Ok((output, Some(tape)));
        }
        let features = self.encode_ahead(chunks(rows))?;
        let features = match features.is_empty() {
            true => self
                .task
                .features(self.request.split, &[], self.request.view)?,
            false => Tensor::cat(&features, 0).map_err(internal)?,
        };
        let tape = self.request.tape.then(|| {
            let inputs = self.inputs.clone().into_vars();
            let parts = chunks(rows).collect();
            let shape = features.dims().to_vec();
            Tape::recomputed(inputs, shape, parts, move |rows| {
                let pixels = self.pixels(&rows)?;
                self.encode(rows, &pixels)
            })
        });
        Ok((features, tape))
    }

    /// Features of each chunk without their graph. The images of the next one are read and decoded
    /// meanwhile.
    fn encode_ahead(
        &self,
        chunks: impl Iterator<Item = Range<usize>> + Send,
    ) -> Result<Vec<Tensor>, AbiError> {
        thread::scope(|scope| {
            let (sender, ready) = sync_channel(1);
            scope.spawn(move || {
                for rows in chunks {
                    let pixels = self.pixels(&rows);
                    let is_last = pixels.is_err();
                    // The receiver is gone once an encoding has failed.
                    if sender.send((rows, pixels)).is_err() || is_last {
                        return;
                    }
                }
            });
            let encode =
                |(rows, pixels): (_, Result<_, _>)| Ok(self.encode(rows, &pixels?)?.detach());
            ready.into_iter().map(encode).collect()
        })
    }

    fn pixels(&self, rows: &Range<usize>) -> Result<Tensor, AbiError> {
        let ImageRequest { split, view, .. } = self.request;
        let rows = &self.request.rows[rows.clone()];
        self.task.pixels(split, rows, view)
    }

    fn encode(&self, rows: Range<usize>, pixels: &Tensor) -> Result<Tensor, AbiError> {
        let edits = self.request.edits.iter();
        let edits = edits
            .map(|edit| self.edit(edit, &rows))
            .collect::<Result<Vec<_>, _>>()?;
        self.backbone
            .image()
            .encode_edited(pixels, &edits)
            .map_err(refused)
    }

    /// An edit as some of the rows see it.
    fn edit(&self, edit: &Edit, rows: &Range<usize>) -> Result<ImageEdit, AbiError> {
        if let Some(edit) = self.inputs.weight_edit(edit, Tower::Image)? {
            return Ok(ImageEdit::Weight(reseeded(edit, rows.start)));
        }
        match edit {
            Edit::AppendTokens { tensor } => {
                Ok(ImageEdit::AppendTokens(self.tokens(*tensor, rows)?))
            }
            Edit::ReplaceTokens {
                tower: Tower::Image,
                layer,
                start,
                tensor,
            } => Ok(ImageEdit::ReplaceTokens {
                layer: *layer,
                from_end: *start,
                tokens: self.tokens(*tensor, rows)?,
            }),
            other => Err(elsewhere(other)),
        }
    }

    /// The tokens of some rows: all of a shared tensor, a part of one a row.
    fn tokens(&self, tensor: usize, rows: &Range<usize>) -> Result<Tensor, AbiError> {
        let tokens = self.inputs.get(tensor)?;
        match tokens.dims().first() {
            Some(&count) if count > 1 && count == self.request.rows.len() => {
                tokens.narrow(0, rows.start, rows.len()).map_err(internal)
            }
            _ => Ok(tokens),
        }
    }
}

/// Every chunk draws a mask of its own.
fn reseeded(edit: WeightEdit, start: usize) -> WeightEdit {
    match edit {
        WeightEdit::LowRank {
            weight,
            a,
            b,
            scale,
            dropout: Some(Dropout { rate, seed }),
        } => WeightEdit::LowRank {
            weight,
            a,
            b,
            scale,
            dropout: Some(Dropout {
                rate,
                seed: seed.wrapping_add((start as u64) << 32),
            }),
        },
        other => other,
    }
}

fn chunks(rows: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows)
        .step_by(CHUNK)
        .map(move |start| start..(start + CHUNK).min(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_all_rows() {
        let covered: Vec<_> = chunks(130).collect();
        assert_eq!(covered, [0..64, 64..128, 128..130]);
        assert_eq!(chunks(0).count(), 0);
    }
}
