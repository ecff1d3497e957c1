// Package sagemaker takes requests as AWS SageMaker sends them, all of them by one route:
// https://github.com/aws/model-hosting-container-standards, which vLLM wraps its handler with.
package sagemaker
