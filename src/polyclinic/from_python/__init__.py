"""What programs in Python use beside the verbs: a trained model that is asked again and again, and an estimator."""
