using Polly;
using Polly.Retry;

namespace Lb.Health;

/// <summary>Tries a check again that fails, within the same check (keepalived <c>retry</c>, <c>delay_before_retry</c>). Any thread.</summary>
internal sealed class RetryingChecker : IHealthChecker
{
    private readonly IHealthChecker _checker;
    private readonly TimeProvider _time;
    private readonly ResiliencePipeline<ProbeResult> _attempts;

    public RetryingChecker(IHealthChecker checker, CheckOptions options, TimeProvider time)
    {
        _checker = checker;
        _time = time;
        ResiliencePipelineBuilder<ProbeResult> builder = new() { TimeProvider = time };
        RetryStrategyOptions<ProbeResult> retry = new()
        {
            MaxRetryAttempts = options.Retry,
            Delay = options.DelayBeforeRetry,
            BackoffType = DelayBackoffType.Constant,

            // What a checker throws is a failed attempt too, unless the check as a whole is over.
            ShouldHandle = static attempt => new ValueTask<bool>(
                !attempt.Context.CancellationToken.IsCancellationRequested && (attempt.Outcome.Exception is not null || !attempt.Outcome.Result.Passed)),
        };
        _attempts = builder.AddRetry(retry).Build();
    }

    public ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct) =>
        _attempts.ExecuteAsync(static (state, token) => state.Checker.AttemptAsync(state.Target, token), (Checker: this, Target: target), ct);

    // A silent server must not eat the time of the attempts after it.
    private async ValueTask<ProbeResult> AttemptAsync(ProbeTarget target, CancellationToken ct)
    {
        using FairTimeout limit = new(target.Timeout, _time, ct);
        try
        {
            return await _checker.CheckAsync(target, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (limit.Token.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            return new ProbeResult(CheckStatus.Layer7Timeout, 0, "no answer in time");
        }
    }
}
