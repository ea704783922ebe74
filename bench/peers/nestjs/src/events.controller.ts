import { Body, Controller, HttpCode, MessageEvent, Post, Query, Sse } from '@nestjs/common'
import { Observable } from 'rxjs'
import { EventsService } from './events.service'

@Controller()
export class EventsController {
  constructor(private readonly events: EventsService) {}

  @Sse('events')
  stream(@Query('topic') topic = ''): Observable<MessageEvent> {
    return this.events.stream(topic)
  }

  @Post('publish')
  @HttpCode(204)
  async publish(@Body() data: object, @Query('topic') topic = ''): Promise<void> {
    await this.events.publish(topic, data)
  }
}
