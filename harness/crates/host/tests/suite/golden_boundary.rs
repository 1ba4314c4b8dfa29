//! Features and gradients through the boundary's own types, against the reference
//! vectors of every backbone layout.

use std::{path::Path, sync::Arc};

use crate::reference::{assert_close, listing, tensors, values};
use candle_core::Tensor;
use harness_abi::{
    AbiTensor, ErrorKind, HostObject,
    std_types::{RSlice, RStr},
    wire::{BiasMode, Edit, Encoded, Segment, TaskFacts, TextRequest, TokenRows, Tower},
};
use harness_backbone::{Backbone, BackboneError};
use harness_host::boundary::{HostBench, TaskData, Vocabulary, backbone_facts};

struct NoWords;

impl Vocabulary for NoWords {
    fn ids(&self, _text: &str) -> Result<Vec<u32>, BackboneError> {
        Err(BackboneError::Tokenizer("no words".into()))
    }
    fn start_of_text(&self) -> u32 {
        0
    }
    fn end_of_text(&self) -> u32 {
        0
    }
}

/// A bench on a backbone whose end token is embedded as the vectors ask: they
/// give every embedding of a prompt, the boundary takes the end token's by id.
fn bench(folder: &Path, end: Option<(u32, &Tensor)>) -> HostBench {
    let config = std::fs::read_to_string(folder.join("config.json")).unwrap();
    let mut weights = tensors(&folder.join("model.safetensors"));
    if let Some((id, embedding)) = end {
        let (_, table) = weights
            .iter_mut()
            .find(|(name, _)| name.ends_with("token_embedding.weight"))
            .unwrap();
        let at = id as usize;
        let row = embedding.unsqueeze(0).unwrap();
        *table = table
            .slice_assign(&[at..at + 1, 0..row.dim(1).unwrap()], &row)
            .unwrap();
    }
    let config = serde_json::from_str(&config).unwrap();
    let backbone = Backbone::from_tensors(weights, &config, None).unwrap();
    let width = backbone.dims().embed_dim;
    let features = Tensor::zeros(
        (1, width),
        candle_core::DType::F32,
        &candle_core::Device::Cpu,
    );
    let facts = TaskFacts {
        dataset: "none".into(),
        classes: vec![],
        templates: vec![],
        train_rows: 0,
        train_views: 1,
        val_rows: 0,
    };
    HostBench::new(
        backbone_facts("golden", backbone.dims()),
        Arc::new(backbone),
        Arc::default(),
        Arc::new(NoWords),
        TaskData::evaluation(facts, features.unwrap()).unwrap(),
        Box::new(|_, _| Ok(())),
    )
}

fn encode(
    host: &HostObject,
    request: &TextRequest,
    tensors: &[AbiTensor],
) -> Result<(Vec<f32>, Option<u64>), harness_abi::AbiError> {
    let request = serde_json::to_string(request).unwrap();
    let reply = host
        .encode_text(RStr::from_str(&request), RSlice::from_slice(tensors))
        .into_result()?;
    let encoded: Encoded = serde_json::from_str(reply.json.as_str()).unwrap();
    Ok((reply.tensors[0].values.to_vec(), encoded.tape))
}

/// A prompt that is given as vectors, but for its end token.
fn request(end: u32) -> TextRequest {
    TextRequest {
        groups: 1,
        classes: 1,
        segments: vec![
            Segment::Context { tensor: 0 },
            Segment::Tokens(TokenRows::Shared(vec![end])),
        ],
        edits: vec![],
        tape: true,
    }
}

#[test]
fn golden_features_and_gradients_cross_the_boundary() {
    for folder in listing("backbones") {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let expected = tensors(&folder.join("expected.safetensors"));
        let ids = expected["token_ids"].to_vec2::<i64>().unwrap();
        let ends = expected["eot_index"].to_vec1::<i64>().unwrap();
        let width = expected["prompt_embeddings"].dim(2).unwrap();
        for (row, (ids, end)) in ids.iter().zip(ends).enumerate() {
            let length = end as usize;
            let end = ids[length] as u32;
            let prompt = expected["prompt_embeddings"].get(row).unwrap();
            let host = bench(&folder, Some((end, &prompt.get(length).unwrap()))).object();
            let part = |key: &str| values(&expected[key].get(row).unwrap());
            let embeddings = part("prompt_embeddings")[..length * width].to_vec();
            let tensor = AbiTensor::new(&[1, 1, length, width], embeddings);
            let (features, tape) = encode(&host, &request(end), &[tensor]).unwrap();
            assert_close(&name, &features, &part("prompt_text_features"));
            let cotangent = part("cotangent");
            let cotangent = AbiTensor::new(&[1, 1, cotangent.len()], cotangent);
            let gradients = host.vjp(tape.unwrap(), &cotangent).into_result().unwrap();
            let all = part("grad_prompt_embeddings");
            let expected = &all[..length * width];
            assert_close(&format!("{name} gradient"), &gradients[0].values, expected);
        }
    }
}

#[test]
fn requests_that_break_the_contract_are_errors() {
    let Some(folder) = listing("backbones").into_iter().next() else {
        return;
    };
    let host = bench(&folder, None).object();
    let expected = tensors(&folder.join("expected.safetensors"));
    let end = expected["eot_index"].to_vec1::<i64>().unwrap()[0] as usize;
    let end = expected["token_ids"].to_vec2::<i64>().unwrap()[0][end] as u32;
    let width = expected["prompt_embeddings"].dim(2).unwrap();
    let good = AbiTensor::new(&[1, 1, 1, width], vec![0.5; width]);
    let kind = |request: &TextRequest, tensor: &AbiTensor| {
        encode(&host, request, std::slice::from_ref(tensor))
            .unwrap_err()
            .kind()
    };
    assert!(encode(&host, &request(end), std::slice::from_ref(&good)).is_ok());

    let wide = AbiTensor::new(&[1, 1, 1, width + 1], vec![0.5; width + 1]);
    assert_eq!(kind(&request(end), &wide), ErrorKind::Request);
    let mut lies = good.clone();
    lies.values.pop();
    assert_eq!(kind(&request(end), &lies), ErrorKind::Request);
    let mut nan = good.clone();
    nan.values[0] = f32::NAN;
    assert_eq!(kind(&request(end), &nan), ErrorKind::Numeric);

    let shared = |ids: Vec<u32>| Segment::Tokens(TokenRows::Shared(ids));
    type Change<'a> = dyn Fn(&mut TextRequest) + 'a;
    let broken = |change: &Change<'_>| {
        let mut request = request(end);
        change(&mut request);
        kind(&request, &good)
    };
    let cases: [(&str, &Change<'_>); 6] = [
        ("unknown tensor", &|r| {
            r.segments[0] = Segment::Context { tensor: 7 }
        }),
        ("unknown token", &|r| r.segments[0] = shared(vec![u32::MAX])),
        ("too long", &|r| r.segments[0] = shared(vec![0; 10_000])),
        ("no end", &|r| r.segments.truncate(1)),
        ("no classes", &|r| r.classes = 0),
        ("too many", &|r| r.groups = usize::MAX),
    ];
    for (name, change) in cases {
        assert_eq!(broken(change), ErrorKind::Request, "{name}");
    }
    let image = broken(&|r| r.edits = vec![Edit::AppendTokens { tensor: 0 }]);
    assert_eq!(image, ErrorKind::Request);
    let nowhere = broken(&|r| {
        r.edits = vec![Edit::Bias {
            tower: Tower::Text,
            name: "blocks.99.ln_1.bias".into(),
            mode: BiasMode::Delta,
            tensor: 0,
        }];
    });
    assert_eq!(nowhere, ErrorKind::NotOffered);
    let reaches_end = broken(&|r| {
        r.edits = vec![Edit::ReplaceTokens {
            tower: Tower::Text,
            layer: 1,
            start: 1,
            tensor: 0,
        }];
    });
    assert_eq!(reaches_end, ErrorKind::Request);

    let cotangent = AbiTensor::new(&[1], vec![1.0]);
    let error = host.vjp(99, &cotangent).into_result().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
}
