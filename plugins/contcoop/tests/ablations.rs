//! The permutation of an ablation.

use harness_plugin_contcoop::permutation;

#[test]
fn every_class_takes_the_embedding_of_another_one() {
    for classes in 2..200 {
        let order = permutation(classes);
        let mut seen = vec![false; classes];
        let mut class = 0;
        for _ in 0..classes {
            class = order[class] as usize;
            assert!(!std::mem::replace(&mut seen[class], true));
        }
        assert_eq!(class, 0, "one cycle through all classes");
    }
    assert_eq!(permutation(1), [0]);
    assert!(permutation(0).is_empty());
    // The same in every run and on every machine: a module does not say which it was.
    assert_eq!(permutation(6), [4, 3, 0, 5, 1, 2]);
}
