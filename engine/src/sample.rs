//! Small boosters, as XGBoost 1.7 writes them, that tests of several modules damage.

/// One tree over two features; a missing value goes right.
pub(crate) const TREE: &str = r#"{"version":[1,7,6],"learner":{
    "learner_model_param":{"base_score":"5E-1","num_class":"0","num_feature":"2","num_target":"1"},
    "objective":{"name":"reg:squarederror"},
    "gradient_booster":{"name":"gbtree","model":{"tree_info":[0],"trees":[{
        "tree_param":{"size_leaf_vector":"0"},"left_children":[1,3,-1,-1,-1],"right_children":[2,4,-1,-1,-1],
        "split_indices":[0,1,0,0,0],"split_conditions":[1.5,1,2,3,4],"default_left":[0,0,0,0,0]}]}}}}"#;

/// `y = 0.5 + 2 a - b`, with all that XGBoost's library asks for.
pub(crate) const LINE: &str = r#"{"version":[1,7,6],"learner":{
    "attributes":{},"feature_names":[],"feature_types":[],
    "learner_model_param":{"base_score":"5E-1","num_class":"0","num_feature":"2","num_target":"1"},
    "objective":{"name":"reg:squarederror","reg_loss_param":{"scale_pos_weight":"1"}},
    "gradient_booster":{"name":"gblinear","model":{"weights":[2.0,-1.0,0.0]}}}}"#;
