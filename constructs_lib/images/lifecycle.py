"""ECR's lifecycle policies: what one does, and whether it can ever take an image in use (lesson Q2).

This is the module to import from. It needs neither AWS nor CDK. It is our model of ECR, written from its user guide;
``StartLifecyclePolicyPreview`` is the service's own dry run.
"""

from __future__ import annotations

from constructs_lib.images.lifecycle_evaluation import Image, Verdict, evaluate
from constructs_lib.images.lifecycle_hazards import Hazard, endangers
from constructs_lib.images.lifecycle_policy import InvalidLifecyclePolicy

__all__ = ["Hazard", "Image", "InvalidLifecyclePolicy", "Verdict", "endangers", "evaluate"]
