//! Tables and other buffers of rotary position embeddings, which are computed again.

/// Other buffers that forks of EVA-CLIP keep beside its tables: a flag, tables of other grids.
pub(crate) fn is_rope_buffer(name: &str) -> bool {
    let last = name.rsplit_once("rope.").map(|(_, last)| last);
    last.is_some_and(|last| last == "flag" || last.starts_with("freqs_"))
}

/// Cosine and sine tables of EVA-CLIP, which are recomputed and compared.
pub(crate) fn is_rope_table(name: &str) -> bool {
    name.ends_with("rope.freqs_cos") || name.ends_with("rope.freqs_sin")
}
