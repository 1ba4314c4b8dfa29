//! transformers' layout against candle-transformers' CLIP, an independent forward pass.

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::clip::text_model::{Activation, ClipTextConfig};
use candle_transformers::models::clip::vision_model::ClipVisionConfig;
use candle_transformers::models::clip::{ClipConfig, ClipModel};
use harness_backbone::Backbone;

use crate::common::{assert_close, backbone, noise};

#[test]
fn features_equal_those_of_candle_transformers() {
    let folder = backbone("hf-clip");
    let loaded = Backbone::load(&folder).unwrap();
    let dims = loaded.dims();
    let config = ClipConfig {
        text_config: ClipTextConfig {
            vocab_size: dims.text.vocab_size,
            embed_dim: dims.text.width,
            activation: Activation::QuickGelu,
            intermediate_size: 4 * dims.text.width,
            max_position_embeddings: dims.text.context_length,
            pad_with: None,
            num_hidden_layers: dims.text.layers,
            num_attention_heads: dims.text.heads,
            projection_dim: dims.embed_dim,
        },
        vision_config: ClipVisionConfig {
            embed_dim: dims.image.width,
            activation: Activation::QuickGelu,
            intermediate_size: 4 * dims.image.width,
            num_hidden_layers: dims.image.layers,
            num_attention_heads: dims.image.heads,
            projection_dim: dims.embed_dim,
            num_channels: 3,
            image_size: dims.image.image_size,
            patch_size: dims.image.patch_size,
        },
        logit_scale_init_value: 0.0,
        image_size: dims.image.image_size,
    };
    let bytes = fs_err::read(folder.join("model.safetensors")).unwrap();
    let builder = VarBuilder::from_buffered_safetensors(bytes, DType::F32, &Device::Cpu).unwrap();
    let reference = ClipModel::new(builder, &config).unwrap();

    let end = loaded.text().end_token();
    let rows = [vec![end - 1, 7, 8, end], vec![end - 1, 300, 2, end]];
    let ids = Tensor::new(
        &rows.clone().map(|r| [r[0], r[1], r[2], r[3]]),
        &Device::Cpu,
    )
    .unwrap();
    let found = loaded.text().encode_ids(&rows).unwrap();
    let expected = reference.get_text_features(&ids).unwrap();
    assert_close("text", &found, &expected, 1e-5);

    let side = dims.image.image_size;
    let pixels = noise(1, &[2, 3, side, side]);
    let found = loaded.image().encode(&pixels).unwrap();
    let expected = reference.get_image_features(&pixels).unwrap();
    assert_close("image", &found, &expected, 1e-5);
}
